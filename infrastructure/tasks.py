"""The controllers of this room: one outside effect each."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from infrastructure.adapters.words import Service as SeenService
from infrastructure.adapters.words import Size
from infrastructure.environment import composition_of
from infrastructure.models import Deployment, Endpoint, Provider, PublishedPort, Server
from infrastructure.outside import get_cloud, get_runtime
from infrastructure.seeing import endpoint_reports, write_services
from live.lib import clock
from live.lib.adapters.http_check import HttpResult, check_all
from live.lib.control import Controller, Ending, Kind, done, later, register
from live.lib.errors import OutsideError, TransientError
from live.lib.queue import enqueue
from orders.models import OrderResource
from orders.reports import lock_orders
from orders.services import Report, report_many
from orders.words import Part, PartState, Wanted

logger = logging.getLogger(__name__)

STATE_OF = {Kind.LATER: PartState.WORKING, Kind.FAILED: PartState.FAILED}
WHEN_DONE = {
    Wanted.RUNNING: PartState.READY,
    Wanted.SUSPENDED: PartState.SUSPENDED,
    Wanted.REMOVED: PartState.REMOVED,
}


def part_report(part: Part, row: OrderResource, ending: Ending) -> Report:
    """What the order is told of one row's ending."""
    state = STATE_OF.get(ending.kind) or WHEN_DONE[Wanted(row.wanted)]
    return Report(order_pk=row.order_id, part=part, state=state, version=row.wanted_version, message=ending.message)


class ServerController(Controller[Server]):
    """One server per order at its provider, or none."""

    name = "server"
    model = Server
    lease = timedelta(seconds=120)
    max_attempts = 360  # half an hour of "still being built", five seconds apart
    related = ("order__plan", "provider")

    def act(self, row: Server) -> Ending:
        """The provider has exactly the server that is wanted."""
        cloud, key, plan = get_cloud(row.provider), row.key, row.order.plan
        if row.wanted == Wanted.REMOVED:
            cloud.remove_server(key=key)
            if cloud.find_server(key=key) is not None:
                raise TransientError(_("The server is being destroyed."), retry_in=timedelta(seconds=3))
            return done(_("Server destroyed; the provider no longer knows it."))
        size = Size(cpus=plan.cpus, ram_gb=plan.ram_gb, disk_gb=plan.disk_gb)
        node = cloud.ensure_server(key=key, size=size)
        words = _("Server %(id)s runs at %(address)s.") % {"id": node.outside_id, "address": node.address}
        return done(words, outside_id=node.outside_id, address=node.address, size=node.size)

    def hold(self, rows: Sequence[Server]) -> None:
        """The orders, which are told."""
        lock_orders(row.order_id for row in rows)

    def announce(self, endings: Sequence[tuple[Server, Ending]]) -> None:
        """The orders know."""
        report_many([part_report(Part.SERVER, row, ending) for row, ending in endings])


class DeploymentController(Controller[Deployment]):
    """One composition per order on its server: running, stopped or gone."""

    name = "deployment"
    model = Deployment
    lease = timedelta.max  # as long as the queue lets a task run: images are built within it
    max_attempts = 400  # twenty minutes of "services are starting", three seconds apart
    related = ("order__customer", "server__provider", "release__product", "release__bundle")

    def act(self, row: Deployment) -> Ending:
        """The engine runs, has stopped or has forgotten the composition."""
        runtime, key = get_runtime(row.server.provider), row.order.key
        if row.wanted == Wanted.REMOVED:
            runtime.remove(key=key)
            if left := runtime.left_behind(key=key):
                names = ", ".join(f"{one.kind} {one.name}" for one in left)
                raise TransientError(_("Still there: %(names)s.") % {"names": names})
            return done(_("Composition removed: no container, network, volume or directory is left."), seen=())
        if row.wanted == Wanted.SUSPENDED:
            runtime.ensure_stopped(key=key)
            return done(_("Composition stopped; its data is kept."), seen=runtime.observe(keys=[key])[key])
        services = runtime.ensure_running(composition_of(row))
        words = _("%(count)s services run.") % {"count": len(services)}
        return done(words, seen=services, launched_at=row.launched_at or clock.now())

    def hold(self, rows: Sequence[Deployment]) -> None:
        """The orders, which are told."""
        lock_orders(row.order_id for row in rows)

    def announce(self, endings: Sequence[tuple[Deployment, Ending]]) -> None:
        """The services' rows say what was seen, and the orders know; endpoints share the composition's fate."""
        reports = []
        for row, ending in endings:
            reports.append(part_report(Part.COMPOSITION, row, ending))
            if ending.kind is not Kind.DONE:
                continue
            seen: Sequence[SeenService] = ending.seen  # type: ignore[assignment]
            write_services({row.pk: seen})
            if row.wanted == Wanted.REMOVED:
                PublishedPort.objects.filter(deployment=row).delete()
            if row.wanted != Wanted.RUNNING:
                row.order.endpoints.update(is_ok=None, message="", next_attempt_at=None)
                reports.append(part_report(Part.ENDPOINTS, row, ending))
        report_many(reports)


class EndpointController(Controller[Endpoint]):
    """Asks the endpoints of new compositions, many at a time, until each has kept its promise."""

    name = "endpoint"
    model = Endpoint
    lease = timedelta(seconds=180)
    max_attempts = 300
    batch_size = 50

    def act_many(self, rows: Sequence[Endpoint]) -> Mapping[int, Ending]:
        """Each endpoint has been asked once."""
        results = check_all([row.check_spec for row in rows])
        return {row.pk: self._ending(row, result) for row, result in zip(rows, results, strict=True)}

    def _ending(self, row: Endpoint, result: HttpResult) -> Ending:
        fields = {
            "is_ok": result.ok,
            "message": result.message[:250],
            "seconds": result.seconds,
            "checked_at": clock.now(),
        }
        if result.ok:
            return done(result.message, **fields)
        rest = timedelta(seconds=2 if row.attempts < 30 else 10)
        return later(f"{row.name}: {result.message}", retry_in=rest, **fields)

    def hold(self, rows: Sequence[Endpoint]) -> None:
        """The orders, which are told."""
        lock_orders(row.order_id for row in rows)

    def announce(self, endings: Sequence[tuple[Endpoint, Ending]]) -> None:
        """The orders know how many of their endpoints answer."""
        report_many(endpoint_reports({row.order_id: row.wanted_version for row, _ending in endings}))


def test_connection(provider_pk: int) -> str:
    """The provider's row says who answered there, or why nobody did."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    if provider is None:
        return ""
    try:
        words = f"{get_cloud(provider).test_connection()}; {get_runtime(provider).test_connection()}"
    except OutsideError as error:
        words = _("Failed: %(error)s") % {"error": error}
    Provider.objects.filter(pk=provider_pk).update(connection_state=words[:250], connection_tested_at=clock.now())
    return words


def look_at_services() -> int:
    """Every provider with running compositions will be looked at; returns how many, so that none waits for another."""
    pks = list(_running().order_by().values_list("server__provider", flat=True).distinct())
    with transaction.atomic():
        for pk in pks:
            enqueue("infrastructure.tasks.look_at_provider", pk, name=f"look at provider {pk}")
    return len(pks)


def look_at_provider(provider_pk: int) -> int:
    """The services of a provider's running compositions are as its engine shows them now; one look for all."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    keys = {row.order.key: row.pk for row in _running().filter(server__provider=provider_pk).select_related("order")}
    if provider is None or not keys:
        return 0
    try:
        seen = get_runtime(provider).observe(keys=list(keys))
    except OutsideError as error:
        logger.warning("Services of provider %s were not seen: %s", provider_pk, error)
        return 0
    with transaction.atomic():
        # What was suspended or removed meanwhile has had its own, newer look.
        still = set(
            _running().select_for_update(of=("self",)).filter(pk__in=keys.values()).values_list("pk", flat=True)
        )
        write_services({keys[key]: services for key, services in seen.items() if keys.get(key) in still})
    return len(still)


def _running() -> QuerySet[Deployment]:
    """Launched compositions that nobody is changing."""
    return Deployment.objects.filter(
        wanted=Wanted.RUNNING, order__wanted=Wanted.RUNNING, done_version=F("wanted_version"), launched_at__isnull=False
    )


for controller in (ServerController(), DeploymentController(), EndpointController()):
    register(controller)
