"""The page on which staff send a server on an errand: it says what will happen, asks why, and shows prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from core.admin.confirmed_actions import Change
from core.errors import Refusal
from core.money import Money
from core.text.units import cpu_words
from customers.models import User
from infrastructure.contracts.cloud import NodeState, Power
from infrastructure.models import Server
from infrastructure.server_actions.services import NEEDS_REASON, Choice, choices_for, powers_over, request_errand
from orders.choices import Wanted

Words = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One errand: what is said before, and after."""

    verb: Power
    title: Words
    says: Words
    done: Words
    is_destructive: bool = False


ERRANDS: Mapping[Power, Sending] = {
    one.verb: one
    for one in (
        Sending(
            verb=Power.START,
            title=_("Start the server"),
            says=_("It boots, at another address perhaps: the order's addresses follow, and are checked again."),
            done=_("%(server)s is being started."),
        ),
        Sending(
            verb=Power.STOP,
            title=_("Stop the server"),
            says=_(
                "The order's addresses WILL NOT ANSWER until it is started again: monitoring says so, the order "
                "counts as degraded, and its customer notices. The disk and all data on it are kept. Most "
                "providers go on charging for a server that is stopped."
            ),
            done=_("%(server)s is being stopped."),
            is_destructive=True,
        ),
        Sending(
            verb=Power.REBOOT,
            title=_("Reboot the server"),
            says=_(
                "The order's addresses do not answer for a minute or more; then everything on the server is checked "
                "again. It is told once: should the provider's answer get lost, a person decides."
            ),
            done=_("%(server)s is being rebooted."),
        ),
        Sending(
            verb=Power.RESIZE,
            title=_("Resize the server"),
            says=_(
                "The provider stops it, changes its size and starts it again, which takes some minutes in which the "
                "order's addresses do not answer. The data stays. What the customer pays does not change by this."
            ),
            done=_("%(server)s is being resized."),
        ),
    )
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
    return stands and verb in powers_over(server).verbs and not server.errands.unsettled().exists()


class ErrandForm(forms.Form):
    """The size, where one is to be chosen, and the reason."""

    size = forms.ChoiceField(label=_("Size"), widget=UnfoldAdminRadioSelectWidget())
    why = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("For staff: on the order's timeline, and in the history."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def __init__(self, data: Any, *, verb: Power, choices: list[Choice]) -> None:
        super().__init__(data)
        self.fields["why"].required = verb in NEEDS_REASON
        if verb is Power.RESIZE:
            size: Any = self.fields["size"]
            size.choices = [(one.size_id, choice_words(one)) for one in choices]
        else:
            del self.fields["size"]


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


def send_one(model_admin: Any, request: HttpRequest, object_id: str, how: Sending) -> HttpResponse:
    """Says what will happen; when it is confirmed, asks the service and goes back to the server."""
    server: Server | None = model_admin.get_object(request, object_id)
    if server is None:
        raise Http404
    back = reverse("admin:infrastructure_server_change", args=(server.pk,))
    choices = choices_for(server) if how.verb is Power.RESIZE else []
    form = ErrandForm(request.POST if request.method == "POST" else None, verb=how.verb, choices=choices)
    if request.method == "POST" and form.is_valid() and _carry_out(model_admin, request, server, how, form):
        return redirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": how.title,
        "opts": model_admin.opts,
        "original": server,
        "server": server,
        "how": how,
        "form": form,
        "back": back,
        "lacks_choices": how.verb is Power.RESIZE and not choices,
    }
    return TemplateResponse(request, "admin/infrastructure/server/errand.html", context)


def _carry_out(model_admin: Any, request: HttpRequest, server: Server, how: Sending, form: ErrandForm) -> bool:
    """The service was asked and the history says so; a refusal is shown on the form."""
    why, size_id = form.cleaned_data.get("why", ""), form.cleaned_data.get("size", "")
    actor: User = request.user  # type: ignore[assignment]
    try:
        request_errand(server=server, verb=how.verb, size_id=size_id, why=why, actor=actor)
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return False
    model_admin.log_change(request, server, " ".join(filter(None, (f"{how.title}.", size_id, why))))
    messages.success(request, str(how.done) % {"server": server.outside_id})
    return True


def bulk_errand(request: HttpRequest, how: Sending) -> Change:
    """The same asked of many servers: `core.admin.confirmed_actions` confirms, counts and logs."""
    actor, why = request.user, request.POST.get("why", "")
    return Change(
        title=how.title,
        says=how.says,
        verb=lambda server: request_errand(server=server, verb=how.verb, why=why, actor=actor),  # type: ignore[arg-type]
        is_destructive=how.is_destructive,
        describe=_in_a_line,
    )


def _in_a_line(server: Server) -> str:
    told = (server.order.reference, server.order.name, server.provider, server.outside_id, server.address)
    return " · ".join(str(one) for one in told if one)
