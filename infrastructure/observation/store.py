"""What was seen outside, written into rows, in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db.models import QuerySet
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


def write_services(seen: Mapping[int, Sequence[ObservedService]], *, launched: bool = False) -> None:
    """The service rows of each deployment are exactly what its engine showed: three statements, however many.

    The digests of what was just `launched` are what later ones are compared with.
    """
    now = clock.now()
    rows = [_service(pk, one, now) for pk, services in seen.items() for one in services]
    known = {(row.deployment_id, row.name): row for row in _known(seen)}
    for row in rows:
        before = known.pop((row.deployment_id, row.name), None)
        # A launch that changed nothing deployed nothing: what was strange before it is strange still.
        stays = before is not None and before.launched_digest and before.digest == row.digest
        row.launched_digest = before.launched_digest if before and stays else row.digest if launched else ""
    also = ("launched_digest",) if launched else ()
    # Disk is asked for now and then only.
    upsert(rows, unique=("deployment", "name"), update=(*SHOWN_FIELDS, *also, "seen_at"), keep=("disk_bytes",))
    Service.objects.filter(pk__in=[row.pk for row in known.values()]).delete()


def _known(deployment_pks: Collection[int]) -> QuerySet[Service]:
    rows = Service.objects.filter(deployment__in=deployment_pks).order_by()
    return rows.only("deployment", "name", "digest", "launched_digest")


def write_unseen(deployment_pks: Collection[int]) -> None:
    """Nobody knows how these services are; when they were last seen stays."""
    unknown = ServiceState.UNKNOWN.value
    Service.objects.filter(deployment__in=deployment_pks).exclude(state=unknown).update(
        state=unknown, health="", cpu_percent=None, memory_bytes=None
    )


def write_nodes(provider: Provider, nodes: Sequence[Node]) -> None:
    """Each server of the provider that has been made says how its node was listed, or that it was not."""
    now = clock.now()
    by_state: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        by_state[node.state.value].append(node.outside_id)
    made = Server.objects.filter(provider=provider).exclude(outside_id="")
    for state in NodeState:
        if listed := by_state.get(state.value):
            made.filter(outside_id__in=listed).update(node_state=state.value, node_seen_at=now)
    made.exclude(node_seen_at=now).exclude(node_state=Server.GONE).update(node_state=Server.GONE)


def write_hosts(provider: Provider, told: Mapping[str, OutsideError | None]) -> list[int]:
    """The host behind each engine says why it was not seen; returns those that were silent and are seen again.

    What a host said when it was asked stays until it is asked again: an engine shows itself on a full disk, too.
    """
    back = []
    for host in provider.hosts.filter(gone_at=None):
        engine = engine_of_host(host)
        if engine not in told:
            continue
        error = told[engine]
        if error is None:
            back += [host.pk] if host.state == Host.State.SILENT else []
        elif host.state not in Host.UNFIT:
            state = Host.State.REFUSED if isinstance(error, PermanentError) else Host.State.SILENT
            Host.objects.filter(pk=host.pk).update(state=state, status_message=str(error), checked_at=clock.now())
    Host.objects.filter(pk__in=back).update(
        state=Host.State.READY, status_message=_("It answers again."), checked_at=clock.now()
    )
    return back


def write_observations(observations: Sequence[Observation]) -> None:
    """Each look is the last one at its engine; one in vain leaves what was known, and says why."""
    seen = [look for look in observations if not look.error]
    mark = ("provider", "thing", "engine")
    always = ("attempted_at", "error", "updated_at", "leased_until")
    upsert(seen, unique=mark, update=(*always, "seen_at", *Observation.MACHINE_FIELDS), keep=("disk_measured_at",))
    upsert([look for look in observations if look.error], unique=mark, update=always)


def _service(deployment_pk: int, one: ObservedService, now: datetime) -> Service:
    return Service(
        deployment_id=deployment_pk,
        name=one.name,
        state=one.state.value,
        health=one.health,
        image=one.image[:250],
        digest=one.digest,
        exit_code=one.exit_code,
        started_at=one.started_at,
        restarts=one.restarts,
        cpu_percent=one.cpu_percent,
        memory_bytes=one.memory_bytes,
        memory_limit_bytes=one.memory_limit_bytes,
        disk_bytes=one.disk_bytes,
        seen_at=now,
    )
