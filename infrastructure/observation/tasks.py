"""Observes providers and engines, every minute and on request, never in a web request.

A provider's servers are one list, and each engine is one query. Engines are queried in parallel, so that an unreachable
one does not delay the others. What is being observed is not observed twice at once, however many tasks are queued.
Only the main thread uses the database.
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
from core.engine.queue import READINGS, Call, enqueue_calls
from core.errors import OutsideError
from core.lease import free, new_lease
from infrastructure.backends import engine_of, engine_of_host, get_cloud, get_host_runtime, get_runtime
from infrastructure.contracts.cloud import NodeState
from infrastructure.contracts.runtime import EngineSnapshot, Runtime
from infrastructure.models import Deployment, Host, Observation, Provider, Server
from infrastructure.observation.store import write_hosts, write_nodes, write_observations, write_services, write_unseen
from infrastructure.providers.connection import ask_hosts
from orders.choices import Wanted

logger = logging.getLogger(__name__)

AT_ONCE = 16
PROMPT = 15.0  # seconds after which the first results are stored
PATIENCE = 90.0  # seconds more after which engines without a result are given up
DISK_EVERY = timedelta(minutes=15)
LEASE_TIME = timedelta(minutes=5)  # the queue ends tasks before that


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineQuery:
    """An engine to query, and the deployments on it by their keys."""

    engine: str
    runtime: Runtime | OutsideError
    rows: dict[str, Deployment]
    with_disk: bool

    def snapshot(self) -> EngineSnapshot | OutsideError:
        """What the engine reports, or the error; does not use the database."""
        if isinstance(self.runtime, OutsideError):
            return self.runtime
        try:
            return self.runtime.snapshot(keys=list(self.rows), with_disk=self.with_disk)
        except OutsideError as error:
            return error


Answer = tuple[EngineQuery, EngineSnapshot | OutsideError]


def observe_all_providers() -> int:
    """Every provider with servers or hosts will be observed, each by a task of its own; returns how many."""
    servers = Server.objects.not_removed().order_by().values("provider")
    hosts = Host.objects.filter(is_enabled=True).order_by().values("provider")
    return request_observations(
        Provider.objects.filter(Q(pk__in=servers) | Q(pk__in=hosts)).values_list("pk", flat=True)
    )


@transaction.atomic
def request_observations(provider_pks: Iterable[int], *, with_disk: bool = False) -> int:
    """A worker will observe each of these providers; returns how many."""
    calls = [Call((pk, with_disk), f"observe provider {pk}") for pk in provider_pks]
    task = "infrastructure.observation.tasks.observe_provider"
    enqueue_calls(task, calls, timeout=LEASE_TIME * 0.9, queue=READINGS)
    return len(calls)


def observe_provider(provider_pk: int, with_disk: bool = False) -> int:
    """The rows of the provider's servers and services are up to date; returns the number of observed compositions."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    if provider is None:
        return 0
    if provider.makes_servers:
        _observe_servers(provider)
    queries = _queries(provider, with_disk=with_disk)
    return sum(_write(provider, answers) for answers in _answers(queries))


def _observe_servers(provider: Provider) -> None:
    if not _claimed(provider, Observation.Thing.SERVERS, [""]):
        return
    now, failure = clock.now(), ""
    try:
        nodes = get_cloud(provider).list_servers()
    except OutsideError as error:
        failure = str(error)
        logger.warning("Servers of provider %s could not be listed: %s", provider.pk, error)
    else:
        write_nodes(provider, nodes)
    observation = Observation(
        provider=provider,
        thing=Observation.Thing.SERVERS,
        attempted_at=now,
        seen_at=None if failure else now,
        error=failure,
    )
    write_observations([observation])


def _claimed(provider: Provider, thing: Observation.Thing, engines: Collection[str]) -> set[str]:
    """The engines that no other worker is observing; they are held until the observation is stored."""
    now, lease = clock.now(), new_lease(LEASE_TIME)
    observations = Observation.objects.filter(provider=provider, thing=thing, engine__in=engines)
    if lease.claim(observations.filter(free(now))) == len(engines):
        return set(engines)
    existing = set(observations.values_list("engine", flat=True))
    missing = [engine for engine in engines if engine not in existing]
    # Another worker may create the same rows at the same time.
    fresh = [Observation(provider=provider, thing=thing, engine=engine, attempted_at=now) for engine in missing]
    Observation.objects.bulk_create(fresh, ignore_conflicts=True)
    lease.claim(observations.filter(free(now), engine__in=missing))
    return set(lease.held(observations).values_list("engine", flat=True))


def _queries(provider: Provider, *, with_disk: bool) -> list[EngineQuery]:
    """The engines with deployments and the hosts of a pool, except those that another worker is observing."""
    rows = _settled().filter(server__provider=provider).select_related("order", "server__provider", "server__host")
    by_engine: dict[str, list[Deployment]] = defaultdict(list)
    for row in rows.defer("order__inputs", "order__reason", "server__bootstrap_log"):
        by_engine[engine_of(row.server)].append(row)
    hosts = {engine_of_host(host): host for host in provider.hosts.filter(is_enabled=True)}
    measured_at = _disk_measured_at(provider)
    claimed = _claimed(provider, Observation.Thing.ENGINE, by_engine.keys() | hosts.keys())
    return [
        EngineQuery(
            engine=engine,
            runtime=_runtime_of(hosts.get(engine), by_engine.get(engine, ())),
            rows={row.order.key: row for row in by_engine.get(engine, ())},
            with_disk=with_disk or measured_at.get(engine) is None or measured_at[engine] <= clock.now() - DISK_EVERY,
        )
        for engine in [*by_engine, *(hosts.keys() - by_engine.keys())]
        if engine in claimed
    ]


def _disk_measured_at(provider: Provider) -> dict[str, datetime]:
    observations = Observation.objects.filter(
        provider=provider, thing=Observation.Thing.ENGINE, disk_measured_at__isnull=False
    )
    return {engine: at for engine, at in observations.values_list("engine", "disk_measured_at") if at is not None}


def _runtime_of(host: Host | None, rows: Sequence[Deployment]) -> Runtime | OutsideError:
    try:
        return get_runtime(rows[0].server) if host is None or rows else get_host_runtime(host)
    except OutsideError as error:
        return error


def _answers(queries: Sequence[EngineQuery]) -> Iterator[list[Answer]]:
    """The answers in two lots: those that arrive promptly, and those that take longer."""
    if len(queries) <= 1:
        yield [(query, query.snapshot()) for query in queries]
        return
    pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(queries)))
    try:
        running = {pool.submit(query.snapshot): query for query in queries}
        prompt, pending = wait(running, timeout=PROMPT)
        yield [(running[future], future.result()) for future in prompt]
        if pending:
            late, unfinished = wait(pending, timeout=PATIENCE)
            timeout = OutsideError(_("No answer in time."))
            answered: list[Answer] = [(running[future], future.result()) for future in late]
            yield answered + [(running[future], timeout) for future in unfinished]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _write(provider: Provider, answers: Sequence[Answer]) -> int:
    """The answers and errors are stored; returns the number of observed compositions."""
    if not provider.makes_servers:
        # In a transaction of their own: others lock servers before deployments.
        _write_existing_servers(answers)
    if provider.kind == Provider.Kind.EXISTING:
        _write_hosts(provider, answers)
    return _write_engines(provider, answers)


@transaction.atomic
def _write_engines(provider: Provider, answers: Sequence[Answer]) -> int:
    """The services match the answers; deployments that changed meanwhile are skipped."""
    unchanged = _unchanged(row for query, _answer in answers for row in query.rows.values())
    observed = {
        query.rows[key].pk: services
        for query, answer in answers
        if isinstance(answer, EngineSnapshot)
        for key, services in answer.services.items()
        if key in query.rows and query.rows[key].pk in unchanged
    }
    unanswered = [query for query, answer in answers if isinstance(answer, OutsideError)]
    unseen = {row.pk for query in unanswered for row in query.rows.values()} & unchanged
    if observed:
        write_services(observed)
    if unseen:
        write_unseen(unseen)
    write_observations([_observation(provider, query, answer) for query, answer in answers])
    return len(observed)


def _write_existing_servers(answers: Sequence[Answer]) -> None:
    """Servers on existing machines are running if their engine responds."""
    for state, kind in ((NodeState.RUNNING, EngineSnapshot), (NodeState.UNKNOWN, OutsideError)):
        pks = [row.server_id for query, answer in answers if isinstance(answer, kind) for row in query.rows.values()]
        fields = {"node_seen_at": clock.now()} if kind is EngineSnapshot else {}
        if pks:
            Server.objects.filter(pk__in=pks).update(node_state=state.value, **fields)


def _write_hosts(provider: Provider, answers: Sequence[Answer]) -> None:
    """A host whose engine does not respond takes no new orders; one that responds again is checked."""
    results = {query.engine: None if isinstance(answer, EngineSnapshot) else answer for query, answer in answers}
    ask_hosts(write_hosts(provider, results))


def _observation(provider: Provider, query: EngineQuery, answer: EngineSnapshot | OutsideError) -> Observation:
    now = clock.now()
    row = Observation(provider=provider, thing=Observation.Thing.ENGINE, engine=query.engine, attempted_at=now)
    if isinstance(answer, OutsideError):
        logger.warning("Services of provider %s (%s) could not be observed: %s", provider.pk, query.engine, answer)
        row.error = str(answer)
        return row
    row.seen_at = now
    row.disk_measured_at = now if query.with_disk else None
    for name in Observation.MACHINE_FIELDS:
        setattr(row, name, getattr(answer.machine, name))
    return row


def _unchanged(rows: Iterable[Deployment]) -> set[int]:
    """The deployments that have not changed since they were read and are not locked by another transaction."""
    versions = {row.pk: row.wanted_version for row in rows}
    settled = _settled().select_for_update(of=("self",), skip_locked=True).filter(pk__in=versions)
    return {pk for pk, version in settled.values_list("pk", "wanted_version") if versions[pk] == version}


def _settled() -> QuerySet[Deployment]:
    """Launched compositions that are not being changed; running or suspended."""
    return Deployment.objects.filter(
        wanted__in=(Wanted.RUNNING, Wanted.SUSPENDED),
        order__wanted=F("wanted"),
        done_version=F("wanted_version"),
        launched_at__isnull=False,
    ).exclude(server__host__gone_at__isnull=False)
