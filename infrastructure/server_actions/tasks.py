"""The controller that runs server actions: each visit looks at the server, and tells its cloud one thing at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import Kind, Outcome, done, register, retry
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

LOOK_AGAIN = timedelta(seconds=5)
# A drift scan leaves a server alone for two minutes after its row has moved: no rest may be longer.
LONGEST_REST = timedelta(minutes=1)


class ServerActionController(OrderPartController[ServerAction, Node]):
    """Starts, stops, reboots or resizes one server."""

    name = "server_action"
    model = ServerAction
    lease_time = timedelta(seconds=120)
    max_attempts = 240  # half an hour and more of "the cloud is still at it"
    related = ("server__provider", "server__order")

    def act(self, row: ServerAction) -> Outcome[Node]:
        """The server is looked at, and its cloud is told what comes next, if anything."""
        server = row.server
        if server.wanted == Wanted.REMOVED:
            return done(outcome=_("Left undone: the order is being removed."), ended_at=clock.now())
        # What is seen of the server outside from now on is not drift.
        Server.objects.filter(pk=server.pk).update(updated_at=clock.now())
        cloud = get_cloud(server.provider)
        node = cloud.inspect_server(key=server.key, outside_id=server.outside_id)
        if node is None:
            raise PermanentError(_("The provider no longer knows server %(id)s.") % {"id": server.outside_id})
        return self._go_on(row, cloud, node)

    def _go_on(self, row: ServerAction, cloud: Cloud, node: Node) -> Outcome[Node]:
        following = next_of(
            Power(row.verb),
            node,
            _told(row),
            size_id=row.size_id,
            stops_to_resize=cloud.powers().resizes_stopped,
        )
        match following:
            case Next(verdict=Verdict.DONE):
                return done(observed=node, ended_at=clock.now(), outcome=_done_words(row, node))
            case Next(verdict=Verdict.REQUEST, step=Step() as step):
                return self._tell(row, cloud, node, step)
            case Next(verdict=Verdict.WAIT):
                return retry(_wait_words(node), retry_in=LOOK_AGAIN)
        return Outcome(kind=Kind.FAILED, message=_failed_words(following.verdict, row, node), observed=node)

    def _tell(self, row: ServerAction, cloud: Cloud, node: Node, step: Step) -> Outcome[Node]:
        """The cloud has been told, and that it was to be told is written down before."""
        now = clock.now()
        mark = {"requested_step": step, "requested_at": now, "acknowledged_at": None}
        if not ServerAction.objects.filter(pk=row.pk, leased_until=row.leased_until).update(**mark):
            return retry(_("Held by another worker."))
        try:
            _say(cloud, row, step)
        except PermanentError as error:
            words = f"{error} {_stands_words(node)}".strip()
            return Outcome(kind=Kind.FAILED, message=words, observed=node)
        return retry(_requested_words(step), retry_in=LOOK_AGAIN, acknowledged_at=clock.now())

    def _backoff(self, row: ServerAction, outcome: Outcome[Node]) -> timedelta:
        return min(super()._backoff(row, outcome), LONGEST_REST)

    def order_of(self, row: ServerAction) -> int:
        """The server's order."""
        return row.server.order_id

    def on_outcomes(self, outcomes: Sequence[tuple[ServerAction, Outcome[Node]]]) -> None:
        """The server's row is as the server is, the timeline says how it went, and what runs there is checked anew."""
        for row, outcome in outcomes:
            if outcome.kind is Kind.RETRY:
                continue
            if outcome.observed is not None:
                _write_seen(row, outcome.observed)
            _tell_order(row, outcome)


def _told(row: ServerAction) -> LastRequest:
    if not row.requested_step or row.requested_at is None:
        return LastRequest()
    return LastRequest(
        step=Step(row.requested_step),
        ago=clock.now() - row.requested_at,
        is_acknowledged=row.acknowledged_at is not None,
    )


def _say(cloud: Cloud, row: ServerAction, step: Step) -> None:
    who = {"key": row.server.key, "outside_id": row.server.outside_id}
    match step:
        case Step.START:
            cloud.start_server(**who)
        case Step.STOP:
            cloud.stop_server(**who)
        case Step.REBOOT:
            cloud.reboot_server(**who)
        case Step.RESIZE:
            cloud.resize_server(**who, size_id=row.size_id)
        case Step.CONFIRM:
            cloud.confirm_resize(**who)


def _write_seen(row: ServerAction, node: Node) -> None:
    """What was seen is no drift; what the order was promised of a server stays what it was."""
    fields = {"address": node.address, "size": node.size, "node_state": node.state.value}
    if row.verb == ServerAction.Verb.RESIZE and node.size == row.size_id:
        fields["size_id"] = node.size  # one that is made anew has it too
    kept = {name: value for name, value in fields.items() if value}  # a stopped one may show no address
    now = clock.now()
    Server.objects.filter(pk=row.server_id).update(updated_at=now, node_seen_at=now, **kept)


def _tell_order(row: ServerAction, outcome: Outcome[Node]) -> None:
    order = row.server.order
    if outcome.kind is Kind.FAILED:
        note(order.pk, f"{row}: {outcome.message}")
    elif outcome.observed is None:
        note(order.pk, f"{row}: {outcome.fields['outcome']}")
    else:
        note(order.pk, _public_words(row), public=True)
    moved = outcome.observed is not None and row.verb != ServerAction.Verb.STOP
    if moved and (outcome.kind is Kind.DONE or row.verb == ServerAction.Verb.REBOOT):
        confirm_order(order=order)


def _public_words(row: ServerAction) -> str:
    words = {
        ServerAction.Verb.START: _("The server was started."),
        ServerAction.Verb.STOP: _("The server was stopped."),
        ServerAction.Verb.REBOOT: _("The server was restarted."),
        ServerAction.Verb.RESIZE: _("The server was resized."),
    }
    return words[ServerAction.Verb(row.verb)]


def _done_words(row: ServerAction, node: Node) -> str:
    seen = {"id": node.outside_id, "size": node.size, "address": node.address or row.server.address}
    words = {
        ServerAction.Verb.START: _("%(id)s runs at %(address)s."),
        ServerAction.Verb.STOP: _("%(id)s has stopped; its disk is kept."),
        ServerAction.Verb.REBOOT: _("%(id)s was told to reboot and runs at %(address)s."),
        ServerAction.Verb.RESIZE: _("%(id)s runs as %(size)s at %(address)s."),
    }
    return words[ServerAction.Verb(row.verb)] % seen


def _requested_words(step: Step) -> str:
    words = {
        Step.START: _("The provider was told to start it."),
        Step.STOP: _("The provider was told to stop it."),
        Step.REBOOT: _("The provider was told to reboot it."),
        Step.RESIZE: _("The provider was told to change its size."),
        Step.CONFIRM: _("The provider was told to keep the new size."),
    }
    return words[step]


def _wait_words(node: Node) -> str:
    return _("The provider is still at it (%(state)s).") % {"state": node.state}


def _failed_words(verdict: Verdict, row: ServerAction, node: Node) -> str:
    if verdict is Verdict.UNKNOWN:
        words = _(
            "The provider was told to reboot it, and no answer came (%(error)s). It may have rebooted or not, and is "
            "not told twice by itself: look at it, and try again if it did not."
        )
        return words % {"error": row.last_error or _("the worker was lost")}
    if verdict is Verdict.STOPPED:
        return _("It stands still at the provider: start it instead.")
    return _("The provider says that %(id)s is in error.") % {"id": node.outside_id}


def _stands_words(node: Node) -> str:
    """What staff have to know when a server action of several steps ends in the middle."""
    return _("It stands still now.") if node.state is NodeState.STOPPED else ""


register_follower("server actions", all=dismiss_moot_actions)
register(ServerActionController())
