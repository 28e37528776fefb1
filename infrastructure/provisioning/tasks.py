"""The controllers of servers, compositions and endpoints: one outside effect each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.address_policy import address_guard
from core.engine.controller import register
from core.engine.outcome import Outcome, OutcomeKind, done, failed, retry
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
from infrastructure.providers.connection import host_problem
from infrastructure.provisioning.composition import composition_of
from infrastructure.provisioning.endpoint_reports import endpoint_reports
from infrastructure.provisioning.launch_outcomes import (
    LaunchResult,
    after_interruption,
    after_taken_port,
    after_transient_error,
    without_host,
)
from infrastructure.provisioning.part_reports import part_report
from infrastructure.provisioning.placing_anew import place_unmade
from infrastructure.provisioning.server_outcomes import fields_of_node, resize_outcome, running_message
from orders.changes.services import note_switch
from orders.choices import Part, Wanted
from orders.part_controller import OrderPartController
from orders.services import report_many

RECHECK_AFTER = timedelta(seconds=10)
MAX_LOG_LENGTH = 20_000
MAX_HOST_ATTEMPTS = 20  # of a host that does not answer: an hour
MAX_UNREACHABLE_ATTEMPTS = 5  # after which a composition is left to be removed with its server


class ServerController(OrderPartController[Server]):
    """One server per order: created at its provider, or capacity on an existing host; or none."""

    name = "server"
    model = Server
    lease_time = timedelta(seconds=120)
    max_attempts = 360  # more than half an hour of "still being built" and "still being set up"
    related = ("order", "provider", "host")

    def act(self, row: Server) -> Outcome:
        """The order has exactly the wanted server."""
        if row.wanted == Wanted.REMOVED:
            return self._remove(row)
        if row.host is not None:
            return self._use_host(row, row.host)
        if outcome := place_unmade(row) or resize_outcome(row):
            return outcome
        return self._create(row)

    def _remove(self, row: Server) -> Outcome:
        if row.host is not None and row.host.is_gone:
            return done(_("Host %(host)s is written off; nothing is left to remove.") % {"host": row.host})
        if row.host is not None:
            return done(_("Capacity on host %(host)s released.") % {"host": row.host})
        key = row.key
        try:
            cloud = get_cloud(row.provider)
        except PermanentError:
            if row.outside_id:
                raise
            # The driver can't even be opened, so nothing was created. A refused call proves nothing: the reply to an
            # earlier creation may be lost.
            return done(_("No server was created."))
        cloud.remove_server(key=key)
        if cloud.find_server(key=key) is not None:
            raise TransientError(_("The server is being destroyed."), retry_in=timedelta(seconds=3))
        return done(_("Server destroyed; the provider no longer lists it."))

    def _use_host(self, row: Server, host: Host) -> Outcome:
        if host.is_gone:
            return failed(written_off_message(host))
        try:
            problem = host_problem(hosts.facts_of(target_of(row)))
        except TransientError as error:
            if row.attempts <= MAX_HOST_ATTEMPTS:
                raise
            return failed(_("Gave up waiting: %(error)s") % {"error": error})
        if problem:
            raise PermanentError(f"{host}: {problem}")
        message = _("Using host %(host)s at %(address)s.") % {"host": host, "address": host.address}
        return done(message, outside_id=host.name, address=host.address, size=str(host))

    def _create(self, row: Server) -> Outcome:
        cloud = get_cloud(row.provider, size_id=row.size_id)
        boots = row.provider.kind == Provider.Kind.LIBCLOUD
        options = {"user_data": user_data_of(row)} if boots else {}
        node = cloud.ensure_server(key=row.key, size=row.wish, **options)
        if boots:
            return self._await_bootstrap(row, node)
        return done(running_message(node), **fields_of_node(node))

    def _await_bootstrap(self, row: Server, node: Node) -> Outcome:
        """Done once the server's setup has finished; its address and size are stored in any case."""
        fields = fields_of_node(node)
        try:
            bootstrap = hosts.bootstrap_of(target_of(row, address=node.address))
        except TransientError as error:
            message = _("Server %(id)s does not accept SSH connections yet: %(error)s")
            return retry(
                message % {"id": node.outside_id, "error": error},
                retry_in=error.retry_in or RECHECK_AFTER,
                **fields,
            )
        except PermanentError as error:
            return failed(str(error), **fields)
        log = bootstrap.log[-MAX_LOG_LENGTH:]
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
        if bootstrap.state == "running":
            message = _("Server %(id)s is being set up: %(line)s") % {"id": node.outside_id, "line": last}
            return retry(message, retry_in=RECHECK_AFTER, bootstrap_log=log, **fields)
        if bootstrap.state == "failed":
            return failed(_("Server setup failed: %(line)s") % {"line": last}, bootstrap_log=log, **fields)
        return done(running_message(node), bootstrap_log=log, **fields)

    def on_outcomes(self, outcomes: Sequence[tuple[Server, Outcome]]) -> None:
        """The servers' states are reported to the orders."""
        reports = [part_report(Part.SERVER, row, outcome) for row, outcome in outcomes]
        report_many(reports, locked=[row.order for row, _outcome in outcomes])


class DeploymentController(OrderPartController[Deployment, LaunchResult]):
    """One composition per order on its server: running, stopped or gone."""

    name = "deployment"
    model = Deployment
    lease_time = timedelta(seconds=90)  # short: images are built in the background
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
        """The composition is running, stopped or removed; or the engine is still working on it."""
        if row.server.host is not None and row.server.host.is_gone:
            return without_host(row, row.server.host)
        try:
            return self._apply(row, get_runtime(row.server), row.order.key)
        except InProgress as progress:
            fields = {"attempts": row.attempts - 1} if progress.is_bounded else {}
            result = LaunchResult(progress_note=progress.progress_note)
            return retry(str(progress), retry_in=progress.retry_in, observed=result, **fields)
        except Interrupted as error:
            return after_interruption(row, error)
        except PortTaken as error:
            return after_taken_port(row, error)
        except TransientError as error:
            return after_transient_error(row, error)

    def _apply(self, row: Deployment, runtime: Runtime, key: str) -> Outcome[LaunchResult]:
        if row.wanted == Wanted.REMOVED:
            return self._remove(row, runtime)
        if row.wanted == Wanted.SUSPENDED:
            runtime.ensure_stopped(key=key)
            result = LaunchResult(services=runtime.observe(keys=[key])[key])
            return done(_("Composition stopped; its data is kept."), observed=result)
        return self._run(row, runtime)

    def _run(self, row: Deployment, runtime: Runtime) -> Outcome[LaunchResult]:
        """First every image is made ready while the former release runs on; then the services are replaced."""
        if row.order.is_changing and row.order.wanted_version != row.wanted_version:
            return retry(_("Waiting for the server."), retry_in=RECHECK_AFTER)
        if row.prepared_version != row.wanted_version and not self._prepare(row, runtime):
            return retry(_("Held by another worker."))
        services = runtime.ensure_running(composition_of(row))
        count = len(services)
        message = ngettext("The service is running.", "%(count)s of %(count)s services are running.", count)
        return done(
            message % {"count": count},
            observed=LaunchResult(services=services),
            launched_at=row.launched_at or clock.now(),
            running_release=row.release_id,
        )

    def _prepare(self, row: Deployment, runtime: Runtime) -> bool:
        """The images are on the engine and noted, before anything is stopped; False if the lease was lost."""
        pinned = runtime.ensure_images(composition_of(row))
        images = {**row.images, str(row.release_id): dict(pinned or row.pinned_images)}
        held = Deployment.objects.filter(pk=row.pk, leased_until=row.leased_until)
        if not held.update(prepared_version=row.wanted_version, images=images):
            return False
        row.prepared_version, row.images = row.wanted_version, images
        if row.order.is_changing:
            note_switch(row.order_id, row.wanted_version, interrupts=pinned is not None)
        return True

    def _remove(self, row: Deployment, runtime: Runtime) -> Outcome[LaunchResult]:
        key = row.order.key
        try:
            runtime.remove(key=key)
            left = runtime.left_behind(key=key)
        except OutsideError as error:
            if not _is_removed_with_server(row, error):
                raise
            message = _("Could not be reached (%(error)s); it is removed with its server.") % {"error": error}
            return replace(done(message, observed=LaunchResult()), customer_message=_("Removed with its server."))
        if left:
            names = ", ".join(f"{item.kind} {item.name}" for item in left)
            raise TransientError(_("Not removed yet: %(names)s.") % {"names": names})
        message = _("Composition removed: no container, network, volume or directory is left.")
        return done(message, observed=LaunchResult())

    def on_outcomes(self, outcomes: Sequence[tuple[Deployment, Outcome[LaunchResult]]]) -> None:
        """The observed services are stored and the orders get their reports; endpoints follow a stopped composition."""
        reports = []
        for row, outcome in outcomes:
            report = part_report(Part.COMPOSITION, row, outcome)
            result = outcome.observed or LaunchResult()
            if outcome.kind is not OutcomeKind.DONE:
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
        report_many(reports, locked=[row.order for row, _outcome in outcomes])


def _is_removed_with_server(row: Deployment, error: OutsideError) -> bool:
    """True when the server was created for the order and will be destroyed anyway: it does not delay the removal."""
    if row.server.provider.kind != Provider.Kind.LIBCLOUD:
        return False
    if isinstance(error, PermanentError) or row.attempts > MAX_UNREACHABLE_ATTEMPTS:
        return True
    return get_cloud(row.server.provider).find_server(key=row.server.key) is None


class EndpointController(OrderPartController[Endpoint]):
    """Checks the endpoints of new compositions, many at a time, until each passes."""

    name = "endpoint"
    model = Endpoint
    lease_time = timedelta(seconds=180)
    max_attempts = 300
    batch_size = 50

    def act_many(self, rows: Sequence[Endpoint]) -> Mapping[int, Outcome]:
        """Each endpoint is checked once."""
        results = check_all([row.check_spec for row in rows], guard=address_guard())
        return {row.pk: self._outcome(row, result) for row, result in zip(rows, results, strict=True)}

    def _outcome(self, row: Endpoint, result: HttpResult) -> Outcome:
        fields = {
            "is_ok": result.ok,
            "failure": result.failure,
            "seconds": result.seconds,
            "checked_at": clock.now(),
        }
        if result.ok:
            return done(success_message(row.check_status), **fields)
        backoff = timedelta(seconds=2 if row.attempts < 30 else 10)
        return retry(f"{row.name}: {failure_message(result.failure)}", retry_in=backoff, **fields)

    def on_outcomes(self, outcomes: Sequence[tuple[Endpoint, Outcome]]) -> None:
        """The orders get a report about all their endpoints."""
        versions = {row.order_id: row.wanted_version for row, _outcome in outcomes}
        report_many(endpoint_reports(versions), locked=[row.order for row, _outcome in outcomes])
        Endpoint.objects.filter(order__in=versions, is_retired=True, order__is_changing=False).delete()


for controller in (ServerController(), DeploymentController(), EndpointController()):
    register(controller)
