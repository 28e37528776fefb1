"""The controller of server actions: each attempt inspects the server and sends the cloud one request at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import register
from core.engine.outcome import Outcome, OutcomeKind, done, retry
from core.errors import PermanentError
from infrastructure.backends import get_cloud
from infrastructure.contracts.cloud import Cloud, Node, NodeState, Power
from infrastructure.models import Server, ServerAction
from infrastructure.server_actions.next_step import LastRequest, Next, Step, Verdict, next_of
from infrastructure.server_actions.services import dismiss_moot_actions, note
from orders.choices import Wanted
from orders.followers import register_follower
from orders.part_controller import OrderPartController
from orders.services import confirm_order

RECHECK_IN = timedelta(seconds=5)
# Drift scans skip a server for two minutes after its row has changed: no backoff may be longer.
LONGEST_BACKOFF = timedelta(minutes=1)


class ServerActionController(OrderPartController[ServerAction, Node]):
    """Starts, stops, reboots or resizes one server."""

    name = "server_action"
    model = ServerAction
    lease_time = timedelta(seconds=120)
    max_attempts = 240  # waits half an hour and more for the cloud
    related = ("server__provider", "server__order")

    def act(self, row: ServerAction) -> Outcome[Node]:
        """The server was inspected, and the next step requested from the cloud if there is one."""
        server = row.server
        if server.wanted == Wanted.REMOVED:
            return done(outcome=_("Not done: the order is being removed."), ended_at=clock.now())
        # Changes of the server from now on are not drift.
        Server.objects.filter(pk=server.pk).update(updated_at=clock.now())
        cloud = get_cloud(server.provider)
        node = cloud.inspect_server(key=server.key, outside_id=server.outside_id)
        if node is None:
            raise PermanentError(_("The provider no longer knows server %(id)s.") % {"id": server.outside_id})
        return self._advance(row, cloud, node)

    def _advance(self, row: ServerAction, cloud: Cloud, node: Node) -> Outcome[Node]:
        following = next_of(
            Power(row.verb),
            node,
            _last_request(row),
            size_id=row.size_id,
            stops_to_resize=cloud.powers().resizes_stopped,
        )
        match following:
            case Next(verdict=Verdict.DONE):
                return done(observed=node, ended_at=clock.now(), outcome=_done_message(row, node))
            case Next(verdict=Verdict.REQUEST, step=Step() as step):
                return self._send(row, cloud, node, step)
            case Next(verdict=Verdict.WAIT):
                return retry(_("In progress at the provider (%(state)s).") % {"state": node.state}, retry_in=RECHECK_IN)
        return Outcome(kind=OutcomeKind.FAILED, message=_failure_message(following.verdict, row, node), observed=node)

    def _send(self, row: ServerAction, cloud: Cloud, node: Node, step: Step) -> Outcome[Node]:
        """The step was requested from the cloud; the row says so before the call."""
        request = {"requested_step": step, "requested_at": clock.now(), "acknowledged_at": None}
        if not ServerAction.objects.filter(pk=row.pk, leased_until=row.leased_until).update(**request):
            return retry(_("Held by another worker."))
        try:
            _call_cloud(cloud, row, step)
        except PermanentError as error:
            # An action of several steps may end in the middle.
            is_stopped = _("The server is stopped now.") if node.state is NodeState.STOPPED else ""
            return Outcome(kind=OutcomeKind.FAILED, message=f"{error} {is_stopped}".strip(), observed=node)
        return retry(_requested_message(step), retry_in=RECHECK_IN, acknowledged_at=clock.now())

    def _backoff(self, row: ServerAction, outcome: Outcome[Node]) -> timedelta:
        return min(super()._backoff(row, outcome), LONGEST_BACKOFF)

    def part_of(self, row: ServerAction) -> Server:
        """The server that it is about."""
        return row.server

    def on_outcomes(self, outcomes: Sequence[tuple[ServerAction, Outcome[Node]]]) -> None:
        """The server's row is updated, the result is on the order's timeline, and the order is checked again."""
        for row, outcome in outcomes:
            if outcome.kind is OutcomeKind.RETRY:
                continue
            if outcome.observed is not None:
                _update_server(row, outcome.observed)
            _report_to_order(row, outcome)


def _last_request(row: ServerAction) -> LastRequest:
    if not row.requested_step or row.requested_at is None:
        return LastRequest()
    return LastRequest(
        step=Step(row.requested_step),
        ago=clock.now() - row.requested_at,
        is_acknowledged=row.acknowledged_at is not None,
    )


def _call_cloud(cloud: Cloud, row: ServerAction, step: Step) -> None:
    server = {"key": row.server.key, "outside_id": row.server.outside_id}
    match step:
        case Step.START:
            cloud.start_server(**server)
        case Step.STOP:
            cloud.stop_server(**server)
        case Step.REBOOT:
            cloud.reboot_server(**server)
        case Step.RESIZE:
            cloud.resize_server(**server, size_id=row.size_id)
        case Step.CONFIRM:
            cloud.confirm_resize(**server)


def _update_server(row: ServerAction, node: Node) -> None:
    """The server's row matches the node, so that the change is not drift; the promised capacity is unchanged."""
    fields = {"address": node.address, "size": node.size, "node_state": node.state.value}
    if row.verb == ServerAction.Verb.RESIZE and node.size == row.size_id:
        fields["size_id"] = node.size  # a rebuilt server gets it, too
    kept = {name: value for name, value in fields.items() if value}  # a stopped server may have no address
    now = clock.now()
    Server.objects.filter(pk=row.server_id).update(updated_at=now, node_seen_at=now, **kept)


def _report_to_order(row: ServerAction, outcome: Outcome[Node]) -> None:
    order = row.server.order
    if outcome.kind is OutcomeKind.FAILED:
        note(order.pk, f"{row}: {outcome.message}")
    elif outcome.observed is None:
        note(order.pk, f"{row}: {outcome.fields['outcome']}")
    else:
        note(order.pk, _public_message(row), public=True)
    may_run = outcome.observed is not None and row.verb != ServerAction.Verb.STOP
    if may_run and (outcome.kind is OutcomeKind.DONE or row.verb == ServerAction.Verb.REBOOT):
        confirm_order(order=order)


def _public_message(row: ServerAction) -> str:
    messages = {
        ServerAction.Verb.START: _("The server was started."),
        ServerAction.Verb.STOP: _("The server was stopped."),
        ServerAction.Verb.REBOOT: _("The server was restarted."),
        ServerAction.Verb.RESIZE: _("The server was resized."),
    }
    return messages[ServerAction.Verb(row.verb)]


def _done_message(row: ServerAction, node: Node) -> str:
    facts = {"id": node.outside_id, "size": node.size, "address": node.address or row.server.address}
    messages = {
        ServerAction.Verb.START: _("%(id)s is running at %(address)s."),
        ServerAction.Verb.STOP: _("%(id)s is stopped; its disk is kept."),
        ServerAction.Verb.REBOOT: _("%(id)s was rebooted and is running at %(address)s."),
        ServerAction.Verb.RESIZE: _("%(id)s is running as %(size)s at %(address)s."),
    }
    return messages[ServerAction.Verb(row.verb)] % facts


def _requested_message(step: Step) -> str:
    messages = {
        Step.START: _("Start requested from the provider."),
        Step.STOP: _("Stop requested from the provider."),
        Step.REBOOT: _("Reboot requested from the provider."),
        Step.RESIZE: _("Resize requested from the provider."),
        Step.CONFIRM: _("Confirmation of the new size sent to the provider."),
    }
    return messages[step]


def _failure_message(verdict: Verdict, row: ServerAction, node: Node) -> str:
    if verdict is Verdict.UNKNOWN:
        message = _(
            "A reboot was requested, but the provider did not confirm it (%(error)s). It may or may not have happened, "
            "and is not requested again automatically: check the server, and try again if it was not rebooted."
        )
        return message % {"error": row.last_error or _("the worker was interrupted")}
    if verdict is Verdict.STOPPED:
        return _("The server is stopped: start it instead.")
    return _("The provider reports %(id)s in an error state.") % {"id": node.outside_id}


register_follower("server actions", all=dismiss_moot_actions)
register(ServerActionController())
