"""What runs where, looked at and written down: by the clock and on demand, and never in a web request.

A provider's servers are one list, and each engine is one look; engines are asked side by side, so that one that is
silent holds nobody up. What is being asked is not asked again meanwhile: it costs one worker, however often others
come by. Only the main thread speaks to the database.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from core import clock
from core.engine.lease import free, new_lease
from core.engine.queue import enqueue
from core.errors import OutsideError
from infrastructure.backends import engine_of, engine_of_host, get_cloud, get_host_runtime, get_runtime
from infrastructure.contracts.cloud import NodeState
from infrastructure.contracts.runtime import EngineSnapshot, Runtime
from infrastructure.models import Deployment, Host, Observation, Provider, Server
from infrastructure.observation.store import write_hosts, write_nodes, write_observations, write_services, write_unseen
from infrastructure.providers.connection import ask_hosts
from orders.choices import Wanted

logger = logging.getLogger(__name__)

AT_ONCE = 16
PROMPT = 15.0  # seconds after which what has been seen is written, whoever is still silent
PATIENCE = 90.0  # seconds more, after which nobody is waited for
DISK_EVERY = timedelta(minutes=15)
LEASE_TIME = timedelta(minutes=5)  # a worker that has not ended looking by then is ended itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One engine to be looked at, and the deployments on it by their keys."""

    engine: str
    runtime: Runtime | OutsideError
    rows: dict[str, Deployment]
    with_disk: bool

    def snapshot(self) -> EngineSnapshot | OutsideError:
        """What the engine shows, or why it does not; nothing of the database is touched."""
        if isinstance(self.runtime, OutsideError):
            return self.runtime
        try:
            return self.runtime.snapshot(keys=list(self.rows), with_disk=self.with_disk)
        except OutsideError as error:
            return error


Answer = tuple[Ask, EngineSnapshot | OutsideError]


def observe_all_providers() -> int:
    """Every provider with servers or hosts will be looked at; returns how many, so that none waits for another."""
    standing = Server.objects.not_removed().order_by().values("provider")
    hosts = Host.objects.filter(is_enabled=True).order_by().values("provider")
    return request_observations(
        Provider.objects.filter(Q(pk__in=standing) | Q(pk__in=hosts)).values_list("pk", flat=True)
    )


@transaction.atomic
def request_observations(provider_pks: Iterable[int], *, with_disk: bool = False) -> int:
    """A worker will look at each of these providers; returns how many."""
    pks = list(provider_pks)
    for pk in pks:
        name = f"look at provider {pk}"
        enqueue("infrastructure.observation.tasks.observe_provider", pk, with_disk, name=name, timeout=LEASE_TIME * 0.9)
    return len(pks)


def observe_provider(provider_pk: int, with_disk: bool = False) -> int:
    """The provider's servers and services are as they are shown now; returns how many compositions were seen."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    if provider is None:
        return 0
    if provider.makes_servers:
        _look_at_servers(provider)
    asks = _asks(provider, with_disk=with_disk)
    return sum(_write(provider, answers) for answers in _answers(asks))


def _look_at_servers(provider: Provider) -> None:
    if not _claimed(provider, Observation.Thing.SERVERS, [""]):
        return
    now, failure = clock.now(), ""
    try:
        nodes = get_cloud(provider).list_servers()
    except OutsideError as error:
        failure = str(error)
        logger.warning("Servers of provider %s were not seen: %s", provider.pk, error)
    else:
        write_nodes(provider, nodes)
    seen_at = None if failure else now
    write_observations(
        [
            Observation(
                provider=provider, thing=Observation.Thing.SERVERS, attempted_at=now, seen_at=seen_at, error=failure
            )
        ]
    )


def _claimed(provider: Provider, thing: Observation.Thing, engines: Collection[str]) -> set[str]:
    """Those of the engines that nobody else is looking at; they are ours until the look is written."""
    now, lease = clock.now(), new_lease(LEASE_TIME)
    observations = Observation.objects.filter(provider=provider, thing=thing, engine__in=engines)
    if lease.claim(observations.filter(free(now))) == len(engines):
        return set(engines)
    known = set(observations.values_list("engine", flat=True))
    missing = [engine for engine in engines if engine not in known]
    # Another worker that saw that they are missing may have been faster.
    fresh = [Observation(provider=provider, thing=thing, engine=engine, attempted_at=now) for engine in missing]
    Observation.objects.bulk_create(fresh, ignore_conflicts=True)
    lease.claim(observations.filter(free(now), engine__in=missing))
    return set(lease.held(observations).values_list("engine", flat=True))


def _asks(provider: Provider, *, with_disk: bool) -> list[Ask]:
    """The engines with something on them, and every host of a pool, that nobody else is looking at."""
    rows = _settled().filter(server__provider=provider).select_related("order", "server__provider", "server__host")
    by_engine: dict[str, list[Deployment]] = defaultdict(list)
    for row in rows.defer("order__inputs", "order__reason", "server__bootstrap_log"):
        by_engine[engine_of(row.server)].append(row)
    hosts = {engine_of_host(host): host for host in provider.hosts.filter(is_enabled=True)}
    weighed = _weighed(provider)
    ours = _claimed(provider, Observation.Thing.ENGINE, by_engine.keys() | hosts.keys())
    return [
        Ask(
            engine=engine,
            runtime=_runtime_of(hosts.get(engine), by_engine.get(engine, ())),
            rows={row.order.key: row for row in by_engine.get(engine, ())},
            with_disk=with_disk or weighed.get(engine) is None or weighed[engine] <= clock.now() - DISK_EVERY,
        )
        for engine in [*by_engine, *(hosts.keys() - by_engine.keys())]
        if engine in ours
    ]


def _weighed(provider: Provider) -> dict[str, datetime]:
    observations = Observation.objects.filter(
        provider=provider, thing=Observation.Thing.ENGINE, disk_measured_at__isnull=False
    )
    return {engine: at for engine, at in observations.values_list("engine", "disk_measured_at") if at is not None}


def _runtime_of(host: Host | None, rows: Sequence[Deployment]) -> Runtime | OutsideError:
    try:
        return get_runtime(rows[0].server) if host is None or rows else get_host_runtime(host)
    except OutsideError as error:
        return error


def _answers(asks: Sequence[Ask]) -> Iterator[list[Answer]]:
    """What came of each, in two lots: the prompt, and the late."""
    if len(asks) <= 1:
        yield [(ask, ask.snapshot()) for ask in asks]
        return
    pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(asks)))
    try:
        asked = {pool.submit(ask.snapshot): ask for ask in asks}
        prompt, late = wait(asked, timeout=PROMPT)
        yield [(asked[one], one.result()) for one in prompt]
        if late:
            told, silent = wait(late, timeout=PATIENCE)
            given_up = OutsideError(_("It was not done answering in time."))
            yield [(asked[one], one.result()) for one in told] + [(asked[one], given_up) for one in silent]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _write(provider: Provider, answers: Sequence[Answer]) -> int:
    """The rows say what was seen, and of whom nothing was seen."""
    if not provider.makes_servers:
        # By themselves: whoever follows orders holds servers before compositions.
        _write_lent_servers(answers)
    if provider.kind == Provider.Kind.EXISTING:
        _write_hosts(provider, answers)
    return _write_engines(provider, answers)


@transaction.atomic
def _write_engines(provider: Provider, answers: Sequence[Answer]) -> int:
    """The services are as seen; what changed meanwhile had its own, newer look."""
    still = _still(row for ask, _answer in answers for row in ask.rows.values())
    seen = {
        ask.rows[key].pk: services
        for ask, answer in answers
        if isinstance(answer, EngineSnapshot)
        for key, services in answer.services.items()
        if key in ask.rows and ask.rows[key].pk in still
    }
    silent = [ask for ask, answer in answers if isinstance(answer, OutsideError)]
    unseen = {row.pk for ask in silent for row in ask.rows.values()} & still
    if seen:
        write_services(seen)
    if unseen:
        write_unseen(unseen)
    write_observations([_look(provider, ask, answer) for ask, answer in answers])
    return len(seen)


def _write_lent_servers(answers: Sequence[Answer]) -> None:
    """Servers on lent machines are as their engines: there when these answer."""
    for state, kind in ((NodeState.RUNNING, EngineSnapshot), (NodeState.UNKNOWN, OutsideError)):
        pks = [row.server_id for ask, answer in answers if isinstance(answer, kind) for row in ask.rows.values()]
        seen = {"node_seen_at": clock.now()} if kind is EngineSnapshot else {}
        if pks:
            Server.objects.filter(pk__in=pks).update(node_state=state.value, **seen)


def _write_hosts(provider: Provider, answers: Sequence[Answer]) -> None:
    """A host looked at in vain takes no new orders; one that shows itself again is asked what it is made of."""
    told = {ask.engine: None if isinstance(answer, EngineSnapshot) else answer for ask, answer in answers}
    ask_hosts(write_hosts(provider, told))


def _look(provider: Provider, ask: Ask, answer: EngineSnapshot | OutsideError) -> Observation:
    now = clock.now()
    look = Observation(provider=provider, thing=Observation.Thing.ENGINE, engine=ask.engine, attempted_at=now)
    if isinstance(answer, OutsideError):
        logger.warning("Services of provider %s (%s) were not seen: %s", provider.pk, ask.engine, answer)
        look.error = str(answer)
        return look
    look.seen_at = now
    look.disk_measured_at = now if ask.with_disk else None
    for name in Observation.MACHINE_FIELDS:
        setattr(look, name, getattr(answer.machine, name))
    return look


def _still(rows: Iterable[Deployment]) -> set[int]:
    """Those of which nobody has changed their mind since they were read, nor is about to: none is waited for."""
    versions = {row.pk: row.wanted_version for row in rows}
    settled = _settled().select_for_update(of=("self",), skip_locked=True).filter(pk__in=versions)
    return {pk for pk, version in settled.values_list("pk", "wanted_version") if versions[pk] == version}


def _settled() -> QuerySet[Deployment]:
    """Launched compositions that nobody is changing, those at rest included."""
    return Deployment.objects.filter(
        wanted__in=(Wanted.RUNNING, Wanted.SUSPENDED),
        order__wanted=F("wanted"),
        done_version=F("wanted_version"),
        launched_at__isnull=False,
    ).exclude(server__host__gone_at__isnull=False)
