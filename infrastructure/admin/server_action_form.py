"""The confirmation page of a server action: consequences, reason, and the sizes with their prices."""

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
from infrastructure.server_actions.services import (
    NEEDS_REASON,
    SizeChoice,
    choices_for,
    powers_over,
    request_server_action,
)
from orders.choices import Wanted


def _in_a_line(server: Server) -> str:
    facts = (server.order.reference, server.order.name, server.provider, server.outside_id, server.address)
    return " · ".join(str(fact) for fact in facts if fact)


def _request(verb: Power) -> Callable[..., object]:
    return lambda server, *, actor, why, size="": request_server_action(
        server=server, verb=verb, size_id=size, why=why, actor=actor
    )


NO_OTHER_SIZE = _(
    "No other size with the capacity promised to the order is known. "
    "Use “Update catalogue” in the list of providers to read the sizes again."
)

ACTIONS: Mapping[Power, ConfirmedAction] = {
    Power.START: ConfirmedAction(
        verb=_request(Power.START),
        needs_reason=Power.START in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Start the server"),
        says=_("The server boots. If its address changes, the order's endpoints follow; then they are checked again."),
        done=_("Start of %(row)s requested."),
    ),
    Power.STOP: ConfirmedAction(
        verb=_request(Power.STOP),
        needs_reason=Power.STOP in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Stop the server"),
        says=_(
            "The order's endpoints ARE DOWN until the server is started again: monitoring reports an outage and the "
            "order becomes degraded, visible to its customer. The disk and all data on it are kept. Most providers "
            "still charge for a stopped server."
        ),
        done=_("Stop of %(row)s requested."),
        is_destructive=True,
    ),
    Power.REBOOT: ConfirmedAction(
        verb=_request(Power.REBOOT),
        needs_reason=Power.REBOOT in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Reboot the server"),
        says=_(
            "The order's endpoints are down for a minute or more; then everything on the server is checked again. The "
            "reboot is requested once: if the provider does not confirm it, the action needs attention."
        ),
        done=_("Reboot of %(row)s requested."),
    ),
    Power.RESIZE: ConfirmedAction(
        verb=_request(Power.RESIZE),
        needs_reason=Power.RESIZE in NEEDS_REASON,
        describe=_in_a_line,
        title=_("Resize the server"),
        says=_(
            "The server is stopped, resized and started again. The order's endpoints are down for some minutes. The "
            "data is kept. The customer's price does not change."
        ),
        done=_("Resize of %(row)s requested."),
    ),
}


# States, possibly a minute old, in which an action has no effect or fails; the service itself does not refuse it.
STATES_WITHOUT_EFFECT: Mapping[Power, tuple[str, ...]] = {
    Power.START: (NodeState.RUNNING,),
    Power.STOP: (NodeState.STOPPED,),
    Power.REBOOT: (NodeState.STOPPED,),
    Power.RESIZE: (),
}


def is_possible(verb: Power, server: Server) -> bool:
    """True when the action would be accepted and have an effect, as far as the stored state shows."""
    if server.node_state in STATES_WITHOUT_EFFECT[verb]:
        return False
    exists = bool(server.outside_id) and server.wanted != Wanted.REMOVED and server.order.wanted != Wanted.REMOVED
    return exists and verb in powers_over(server).verbs and not server.server_actions.unsettled().exists()


class ServerActionForm(ReasonForm):
    """The reason, and the new size for a resize."""

    size = forms.ChoiceField(label=_("Size"), widget=UnfoldAdminRadioSelectWidget())
    field_order = ("size", "why")

    def __init__(self, request: HttpRequest, action: ConfirmedAction, choices: list[SizeChoice] | None) -> None:
        super().__init__(request, action, _("For staff only: shown on the order's timeline and in the history."))
        if choices is None:
            del self.fields["size"]
        else:
            size: Any = self.fields["size"]
            size.choices = [(choice.size_id, size_label(choice)) for choice in choices]


def size_label(choice: SizeChoice) -> str:
    """The size with its capacity, its monthly price and the difference from the current price."""
    capacity = gettext("%(cpus)s, %(ram)s GB memory, %(disk)s GB disk") % {
        "cpus": cpu_words(choice.cpus or None),
        "ram": f"{float(choice.ram_gb):g}" if choice.ram_gb else "?",
        "disk": choice.disk_gb or "?",
    }
    if choice.price is None:
        return f"{choice.name}: {capacity}; {gettext('price unknown')}"
    price = gettext("%(price)s a month") % {"price": _money(choice.price)}
    if (difference := choice.difference) is not None:
        sign = "+" if difference.amount >= 0 else "−"
        price += f" ({sign}{_money(Money(abs(difference.amount), difference.currency))})"
    return f"{choice.name}: {capacity}; {price}"


def _money(money: Money) -> str:
    return money.format(get_language() or "en")


def confirm_server_action(model_admin: Any, request: HttpRequest, object_id: str, verb: Power) -> HttpResponse:
    """The confirmation page; once confirmed, the action is requested and the server's page shown."""
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
