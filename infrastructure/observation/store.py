"""Stores what was observed, in sets of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from core import clock
from core.errors import OutsideError, PermanentError
from core.upsert import upsert
from infrastructure.backends import engine_of_host
from infrastructure.contracts.cloud import Node, NodeState
from infrastructure.contracts.runtime import Service as ObservedService
from infrastructure.contracts.runtime import ServiceState
from infrastructure.models import Host, Observation, Provider, Server, Service

SHOWN_FIELDS = (
    "state",
    "health",
    "image",
    "digest",
    "exit_code",
    "started_at",
    "restarts",
    "cpu_percent",
    "memory_bytes",
    "memory_limit_bytes",
)


def write_services(observed: Mapping[int, Sequence[ObservedService]], *, launched: bool = False) -> None:
    """The service rows of each deployment match what its engine reported; at most four statements for any number.

    Only what changed is written, besides the time. After a launch (`launched`), the digests are stored for comparison
    with later ones.
    """
    now = clock.now()
    existing = _stored(observed)
    changed, same = [], []
    for row in (_service(pk, service, now) for pk, services in observed.items() for service in services):
        before = existing.pop((row.deployment_id, row.name), None)
        # A launch that left the image unchanged did not deploy it: an unexpected image stays unexpected.
        stays = before is not None and before.launched_digest and before.digest == row.digest
        row.launched_digest = before.launched_digest if before and stays else row.digest if launched else ""
        if before is not None and before.equals(row) and (stays or not launched):
            same.append(before.pk)
        else:
            changed.append(row)
    also = ("launched_digest",) if launched else ()
    # Disk usage is not part of every observation.
    upsert(changed, unique=("deployment", "name"), update=(*SHOWN_FIELDS, *also, "seen_at"), keep=("disk_bytes",))
    if same:
        Service.objects.filter(pk__in=same).update(seen_at=now)
    if existing:
        Service.objects.filter(pk__in=[row.pk for row in existing.values()]).delete()


class _Stored(NamedTuple):
    """What is stored of a service: by the thousand, so not as rows of the model."""

    pk: int
    launched_digest: str
    digest: str
    disk_bytes: int | None
    shown: tuple[object, ...]

    def equals(self, row: Service) -> bool:
        """True when `row` shows the same; an observation without the disk usage leaves that as it is."""
        is_same_disk = row.disk_bytes is None or row.disk_bytes == self.disk_bytes
        return is_same_disk and self.shown == tuple([getattr(row, name) for name in SHOWN_FIELDS])


def _stored(deployment_pks: Collection[int]) -> dict[tuple[int, str], _Stored]:
    rows = Service.objects.filter(deployment__in=deployment_pks).order_by()
    columns = ("deployment", "name", "pk", "launched_digest", "digest", "disk_bytes", *SHOWN_FIELDS)
    return {
        (deployment, name): _Stored(pk, launched_digest, digest, disk_bytes, tuple(shown))
        for deployment, name, pk, launched_digest, digest, disk_bytes, *shown in rows.values_list(*columns)
    }


def write_unseen(deployment_pks: Collection[int]) -> None:
    """The state of these services is unknown; the time of their last observation is kept."""
    unknown = ServiceState.UNKNOWN.value
    Service.objects.filter(deployment__in=deployment_pks).exclude(state=unknown).update(
        state=unknown, health="", cpu_percent=None, memory_bytes=None
    )


def write_nodes(provider: Provider, nodes: Sequence[Node]) -> None:
    """Each created server of the provider has the state that was listed, or `gone` if it was not listed."""
    now = clock.now()
    by_state: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        by_state[node.state.value].append(node.outside_id)
    created = Server.objects.filter(provider=provider).exclude(outside_id="")
    for state in NodeState:
        if listed := by_state.get(state.value):
            created.filter(outside_id__in=listed).update(node_state=state.value, node_seen_at=now)
    created.exclude(node_seen_at=now).exclude(node_state=Server.GONE).update(node_state=Server.GONE)


def write_hosts(provider: Provider, results: Mapping[str, OutsideError | None]) -> list[int]:
    """Hosts whose engine did not respond have the error; returns the hosts that respond again.

    The result of a host check is not overwritten: an engine responds even if its host's disk is full.
    """
    back = []
    for host in provider.hosts.filter(gone_at=None):
        engine = engine_of_host(host)
        if engine not in results:
            continue
        error = results[engine]
        if error is None:
            back += [host.pk] if host.state == Host.State.SILENT else []
        elif host.state not in Host.UNFIT:
            state = Host.State.REFUSED if isinstance(error, PermanentError) else Host.State.SILENT
            Host.objects.filter(pk=host.pk).update(state=state, status_message=str(error), checked_at=clock.now())
    Host.objects.filter(pk__in=back).update(
        state=Host.State.READY, status_message=_("Responding again."), checked_at=clock.now()
    )
    return back


def write_observations(observations: Sequence[Observation]) -> None:
    """The observations are stored; a failed one adds its error to the last successful one."""
    succeeded = [row for row in observations if not row.error]
    unique = ("provider", "thing", "engine")
    always = ("attempted_at", "error", "updated_at", "leased_until")
    success = (*always, "seen_at", *Observation.MACHINE_FIELDS)
    upsert(succeeded, unique=unique, update=success, keep=("disk_measured_at",))
    upsert([row for row in observations if row.error], unique=unique, update=always)


def _service(deployment_pk: int, service: ObservedService, now: datetime) -> Service:
    return Service(
        deployment_id=deployment_pk,
        name=service.name,
        state=service.state.value,
        health=service.health,
        image=service.image[:250],
        digest=service.digest,
        exit_code=service.exit_code,
        started_at=service.started_at,
        restarts=service.restarts,
        cpu_percent=service.cpu_percent,
        memory_bytes=service.memory_bytes,
        memory_limit_bytes=service.memory_limit_bytes,
        disk_bytes=service.disk_bytes,
        seen_at=now,
    )
