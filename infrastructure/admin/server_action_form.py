"""The confirmation page of a server action: says what will happen, asks for a reason, and shows prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget

from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one
from core.money import Money
from core.text.units import cpu_words
from infrastructure.contracts.cloud import NodeState, Power
from infrastructure.models import Server
from infrastructure.server_actions.services import NEEDS_REASON, Choice, choices_for, powers_over, request_server_action
from orders.choices import Wanted


def _in_a_line(server: Server) -> str:
    told = (server.order.reference, server.order.name, server.provider, server.outside_id, server.address)
    return " · ".join(str(one) for one in told if one)


def _request(verb: Power) -> Callable[..., object]:
    return lambda server, *, actor, why, size="": request_server_action(
        server=server, verb=verb, size_id=size, why=why, actor=actor
    )


NO_OTHER_SIZE = _(
    "No other size that keeps the order's promise is known. "
    "“Read what is on offer” on the list of providers asks again."
)

ACTIONS: Mapping[Power, ConfirmedAction] = {
    Power.START: ConfirmedAction(
        verb=_request(Power.START),
        needs_reason=Power.START in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Start the server"),
        says=_("It boots, at another address perhaps: the order's addresses follow, and are checked again."),
        done=_("%(row)s is being started."),
    ),
    Power.STOP: ConfirmedAction(
        verb=_request(Power.STOP),
        needs_reason=Power.STOP in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Stop the server"),
        says=_(
            "The order's addresses WILL NOT ANSWER until it is started again: monitoring says so, the order "
            "counts as degraded, and its customer notices. The disk and all data on it are kept. Most "
            "providers go on charging for a server that is stopped."
        ),
        done=_("%(row)s is being stopped."),
        is_destructive=True,
    ),
    Power.REBOOT: ConfirmedAction(
        verb=_request(Power.REBOOT),
        needs_reason=Power.REBOOT in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Reboot the server"),
        says=_(
            "The order's addresses do not answer for a minute or more; then everything on the server is checked "
            "again. It is told once: should the provider's answer get lost, a person decides."
        ),
        done=_("%(row)s is being rebooted."),
    ),
    Power.RESIZE: ConfirmedAction(
        verb=_request(Power.RESIZE),
        needs_reason=Power.RESIZE in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Resize the server"),
        says=_(
            "The provider stops it, changes its size and starts it again, which takes some minutes in which the "
            "order's addresses do not answer. The data stays. What the customer pays does not change by this."
        ),
        done=_("%(row)s is being resized."),
    ),
}


# What changes nothing, or fails, in a state that was seen a minute ago; the service itself lets it be asked.
IN_VAIN: Mapping[Power, tuple[str, ...]] = {
    Power.START: (NodeState.RUNNING,),
    Power.STOP: (NodeState.STOPPED,),
    Power.REBOOT: (NodeState.STOPPED,),
    Power.RESIZE: (),
}


def is_possible(verb: Power, server: Server) -> bool:
    """True when the server, as its row stands, would not refuse, and something would come of it."""
    if server.node_state in IN_VAIN[verb]:
        return False
    stands = bool(server.outside_id) and server.wanted != Wanted.REMOVED and server.order.wanted != Wanted.REMOVED
    return stands and verb in powers_over(server).verbs and not server.server_actions.unsettled().exists()


class ServerActionForm(ReasonForm):
    """The size, where one is to be chosen, and the reason."""

    size = forms.ChoiceField(label=_("Size"), widget=UnfoldAdminRadioSelectWidget())
    field_order = ("size", "why")

    def __init__(self, request: HttpRequest, action: ConfirmedAction, choices: list[Choice] | None) -> None:
        super().__init__(request, action, _("For staff: on the order's timeline, and in the history."))
        if choices is None:
            del self.fields["size"]
        else:
            size: Any = self.fields["size"]
            size.choices = [(choice.size_id, choice_words(choice)) for choice in choices]


def choice_words(one: Choice) -> str:
    """A size in a line: what it has, what it costs a month, and how much more or less that is."""
    has = gettext("%(cpus)s, %(ram)s GB memory, %(disk)s GB disk") % {
        "cpus": cpu_words(one.cpus or None),
        "ram": f"{float(one.ram_gb):g}" if one.ram_gb else "?",
        "disk": one.disk_gb or "?",
    }
    if one.price is None:
        return f"{one.name}: {has}; {gettext('price not told')}"
    price = gettext("%(price)s a month") % {"price": _money(one.price)}
    return f"{one.name}: {has}; {price}{_difference_words(one.difference)}"


def _difference_words(difference: Money | None) -> str:
    if difference is None:
        return ""
    sign = "+" if difference.amount >= 0 else "−"
    return f" ({sign}{_money(Money(abs(difference.amount), difference.currency))})"


def _money(money: Money) -> str:
    return money.format(get_language() or "en")


def confirm_server_action(model_admin: Any, request: HttpRequest, object_id: str, verb: Power) -> HttpResponse:
    """Says what will happen; when it is confirmed, calls the service and goes back to the server."""
    server: Server | None = model_admin.get_object(request, object_id)
    if server is None:
        raise Http404
    choices = choices_for(server) if verb is Power.RESIZE else None
    return change_one(
        model_admin,
        request,
        server,
        ACTIONS[verb],
        ServerActionForm(request, ACTIONS[verb], choices),
        name=server.outside_id,
        back=reverse("admin:infrastructure_server_change", args=(server.pk,)),
        header="admin/infrastructure/server/_action_header.html",
        server=server,
        note=NO_OTHER_SIZE if choices == [] else "",
    )
