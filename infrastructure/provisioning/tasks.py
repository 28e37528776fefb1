"""The controllers of this room: one outside effect each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.address_policy import address_guard
from core.engine.controller import Kind, Outcome, done, failed, register, retry
from core.errors import OutsideError, PermanentError, TransientError
from core.outside.check_messages import failure_message, success_message
from core.outside.http_check import HttpResult, check_all
from infrastructure.adapters.ssh import hosts
from infrastructure.backends import get_cloud, get_runtime, target_of, user_data_of
from infrastructure.contracts.cloud import Node
from infrastructure.contracts.runtime import InProgress, Interrupted, PortTaken, Runtime
from infrastructure.hosts.services import written_off_message
from infrastructure.models import Deployment, Endpoint, Host, Provider, PublishedPort, Server
from infrastructure.observation.store import write_services
from infrastructure.placement.ports import give_another_port
from infrastructure.providers.connection import trouble_with
from infrastructure.provisioning.composition import composition_of
from infrastructure.provisioning.endpoint_reports import endpoint_reports
from infrastructure.provisioning.launch_outcomes import (
    LaunchResult,
    after_a_hitch,
    after_a_kill,
    after_a_taken_port,
    without_host,
)
from infrastructure.provisioning.placing_anew import place_unmade
from orders.choices import Part, PartState, Wanted
from orders.models import OrderResource
from orders.part_controller import OrderPartController
from orders.services import Report, report_many

LOOK_AGAIN = timedelta(seconds=10)
LOG_KEPT = 20_000
PATIENCE_ARRIVING = 20  # visits to a host that does not answer: an hour
PATIENCE = 5  # visits to a silent server before its composition is left to go with it

STATE_OF = {Kind.RETRY: PartState.WORKING, Kind.FAILED: PartState.FAILED}
WHEN_DONE = {
    Wanted.RUNNING: PartState.READY,
    Wanted.SUSPENDED: PartState.SUSPENDED,
    Wanted.REMOVED: PartState.REMOVED,
}
# What is waited for says why in words of its own, which are for staff.
NOT_YET = {
    Wanted.RUNNING: gettext_lazy("Not there yet; we keep at it by ourselves."),
    Wanted.SUSPENDED: gettext_lazy("Not stopped yet; we keep at it by ourselves."),
    Wanted.REMOVED: gettext_lazy("Not gone yet; we keep at it by ourselves."),
}


def part_report(part: Part, row: OrderResource, outcome: Outcome[object]) -> Report:
    """What the order is told of one row's ending."""
    wanted = Wanted(row.wanted)
    customer_message = outcome.customer_message or (str(NOT_YET[wanted]) if outcome.kind is Kind.RETRY else "")
    return Report(
        order_pk=row.order_id,
        part=part,
        state=STATE_OF.get(outcome.kind) or WHEN_DONE[wanted],
        version=row.wanted_version,
        message=outcome.message,
        is_public=not customer_message,
        customer_message=customer_message,
    )


class ServerController(OrderPartController[Server]):
    """One server per order: made at its provider, or a place on a host that is there; or none."""

    name = "server"
    model = Server
    lease_time = timedelta(seconds=120)
    max_attempts = 360  # half an hour and more of "still being built" and "still being set up"
    related = ("order", "provider", "host")

    def act(self, row: Server) -> Outcome:
        """The order has exactly the server that is wanted."""
        if row.wanted == Wanted.REMOVED:
            return self._remove(row)
        if row.host is not None:
            return self._arrive_on_host(row, row.host)
        if outcome := place_unmade(row):
            return outcome
        return self._make(row)

    def _remove(self, row: Server) -> Outcome:
        if row.host is not None and row.host.is_gone:
            return done(_("Its host %(host)s is gone for good, and its place with it.") % {"host": row.host})
        if row.host is not None:
            return done(_("Its place on %(host)s is free again.") % {"host": row.host})
        key = row.key
        try:
            cloud = get_cloud(row.provider)
            cloud.remove_server(key=key)
            is_there = cloud.find_server(key=key) is not None
        except PermanentError:
            if row.outside_id:
                raise
            # Its provider never let us in, so nothing can have been made there.
            return done(_("No server was ever made."))
        if is_there:
            raise TransientError(_("The server is being destroyed."), retry_in=timedelta(seconds=3))
        return done(_("Server destroyed; the provider no longer knows it."))

    def _arrive_on_host(self, row: Server, host: Host) -> Outcome:
        if host.is_gone:
            return failed(written_off_message(host))
        try:
            trouble = trouble_with(hosts.facts_of(target_of(row)))
        except TransientError as error:
            if row.attempts <= PATIENCE_ARRIVING:
                raise
            return failed(_("Given up waiting: %(error)s") % {"error": error})
        if trouble:
            raise PermanentError(f"{host}: {trouble}")
        words = _("Place on %(host)s at %(address)s.") % {"host": host, "address": host.address}
        return done(words, outside_id=host.name, address=host.address, size=str(host))

    def _make(self, row: Server) -> Outcome:
        cloud = get_cloud(row.provider, size_id=row.size_id)
        made = row.provider.kind == Provider.Kind.LIBCLOUD
        more = {"user_data": user_data_of(row)} if made else {}
        node = cloud.ensure_server(key=row.key, size=row.wish, **more)
        if made:
            return self._first_contact(row, node)
        return done(_runs_words(node), **_known(node))

    def _first_contact(self, row: Server, node: Node) -> Outcome:
        """Done once the server has set itself up; what is known of it is kept whatever it says."""
        known = _known(node)
        try:
            seen = hosts.bootstrap_of(target_of(row, address=node.address))
        except TransientError as error:
            words = _("Server %(id)s does not let us in yet: %(error)s") % {"id": node.outside_id, "error": error}
            return retry(words, retry_in=error.retry_in or LOOK_AGAIN, **known)
        except PermanentError as error:
            return failed(str(error), **known)
        log = seen.log[-LOG_KEPT:]
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
        if seen.state == "running":
            words = _("Server %(id)s is setting itself up: %(line)s") % {"id": node.outside_id, "line": last}
            return retry(words, retry_in=LOOK_AGAIN, bootstrap_log=log, **known)
        if seen.state == "failed":
            return failed(_("The server's set-up failed: %(line)s") % {"line": last}, bootstrap_log=log, **known)
        return done(_runs_words(node), bootstrap_log=log, **known)

    def on_outcomes(self, outcomes: Sequence[tuple[Server, Outcome]]) -> None:
        """The orders know."""
        report_many([part_report(Part.SERVER, row, outcome) for row, outcome in outcomes])


def _known(node: Node) -> dict[str, str]:
    return {"outside_id": node.outside_id, "address": node.address, "size": node.size}


def _runs_words(node: Node) -> str:
    return _("Server %(id)s runs at %(address)s.") % {"id": node.outside_id, "address": node.address}


class DeploymentController(OrderPartController[Deployment, LaunchResult]):
    """One composition per order on its server: running, stopped or gone."""

    name = "deployment"
    model = Deployment
    lease_time = timedelta(seconds=90)  # images are built without us: a killed worker's row is free again soon
    max_attempts = 400  # twenty minutes of "services are starting", three seconds apart
    related = (
        "order__customer",
        "server__provider",
        "server__host",
        "server__order",
        "release__product",
        "release__bundle",
    )

    def act(self, row: Deployment) -> Outcome[LaunchResult]:
        """The engine runs, has stopped or has forgotten the composition; or is on its way there without us."""
        if row.server.host is not None and row.server.host.is_gone:
            return without_host(row, row.server.host)
        try:
            return self._bring(row, get_runtime(row.server), row.order.key)
        except InProgress as progress:
            known = {"attempts": row.attempts - 1} if progress.is_bounded else {}
            result = LaunchResult(progress_note=progress.progress_note)
            return retry(str(progress), retry_in=progress.retry_in, observed=result, **known)
        except Interrupted as error:
            return after_a_kill(row, error)
        except PortTaken as error:
            return after_a_taken_port(row, error)
        except TransientError as error:
            return after_a_hitch(row, error)

    def _bring(self, row: Deployment, runtime: Runtime, key: str) -> Outcome[LaunchResult]:
        if row.wanted == Wanted.REMOVED:
            return self._remove(row, runtime)
        if row.wanted == Wanted.SUSPENDED:
            runtime.ensure_stopped(key=key)
            seen = LaunchResult(services=runtime.observe(keys=[key])[key])
            return done(_("Composition stopped; its data is kept."), observed=seen)
        services = runtime.ensure_running(composition_of(row))
        words = _("%(count)s services run.") % {"count": len(services)}
        return done(words, observed=LaunchResult(services=services), launched_at=row.launched_at or clock.now())

    def _remove(self, row: Deployment, runtime: Runtime) -> Outcome[LaunchResult]:
        key = row.order.key
        try:
            runtime.remove(key=key)
            left = runtime.left_behind(key=key)
        except OutsideError as error:
            if not _goes_with_its_server(row, error):
                raise
            words = _("Not reached (%(error)s); it goes with its server.") % {"error": error}
            return replace(done(words, observed=LaunchResult()), customer_message=_("It goes with its server."))
        if left:
            names = ", ".join(f"{one.kind} {one.name}" for one in left)
            raise TransientError(_("Still there: %(names)s.") % {"names": names})
        words = _("Composition removed: no container, network, volume or directory is left.")
        return done(words, observed=LaunchResult())

    def on_outcomes(self, outcomes: Sequence[tuple[Deployment, Outcome[LaunchResult]]]) -> None:
        """The services' rows say what was seen, and the orders know; endpoints share the composition's fate."""
        reports = []
        for row, outcome in outcomes:
            report = part_report(Part.COMPOSITION, row, outcome)
            result = outcome.observed or LaunchResult()
            if outcome.kind is not Kind.DONE:
                if result.taken_port is not None:
                    give_another_port(row, result.taken_port)
                note = result.progress_note
                reports.append(replace(report, progress_note=note, customer_message=note or report.customer_message))
                continue
            reports.append(report)
            write_services({row.pk: result.services}, launched=row.wanted == Wanted.RUNNING)
            if row.wanted == Wanted.REMOVED:
                PublishedPort.objects.filter(deployment=row).delete()
            if row.wanted != Wanted.RUNNING:
                row.order.endpoints.update(is_ok=None, failure=None, next_attempt_at=None)
                reports.append(part_report(Part.ENDPOINTS, row, outcome))
        report_many(reports)


def _goes_with_its_server(row: Deployment, error: OutsideError) -> bool:
    """True when the server was made for the order, and will be or is destroyed: it holds no removal back."""
    if row.server.provider.kind != Provider.Kind.LIBCLOUD:
        return False
    if isinstance(error, PermanentError) or row.attempts > PATIENCE:
        return True
    return get_cloud(row.server.provider).find_server(key=row.server.key) is None


class EndpointController(OrderPartController[Endpoint]):
    """Asks the endpoints of new compositions, many at a time, until each has kept its promise."""

    name = "endpoint"
    model = Endpoint
    lease_time = timedelta(seconds=180)
    max_attempts = 300
    batch_size = 50

    def act_many(self, rows: Sequence[Endpoint]) -> Mapping[int, Outcome]:
        """Each endpoint has been asked once."""
        results = check_all([row.check_spec for row in rows], guard=address_guard())
        return {row.pk: self._ending(row, result) for row, result in zip(rows, results, strict=True)}

    def _ending(self, row: Endpoint, result: HttpResult) -> Outcome:
        fields = {
            "is_ok": result.ok,
            "failure": result.failure,
            "seconds": result.seconds,
            "checked_at": clock.now(),
        }
        if result.ok:
            return done(success_message(row.check_status), **fields)
        rest = timedelta(seconds=2 if row.attempts < 30 else 10)
        return retry(f"{row.name}: {failure_message(result.failure)}", retry_in=rest, **fields)

    def on_outcomes(self, outcomes: Sequence[tuple[Endpoint, Outcome]]) -> None:
        """The orders know how many of their endpoints answer."""
        report_many(endpoint_reports({row.order_id: row.wanted_version for row, _ending in outcomes}))


for controller in (ServerController(), DeploymentController(), EndpointController()):
    register(controller)
