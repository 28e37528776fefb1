"""What staff may ask of an order: first a page that says what will happen, then, confirmed, the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin.confirmed_actions import Change
from core.errors import Refusal
from customers.models import User
from orders import services, state_colours
from orders.admin.order_page import money_words, plan_of, would_destroy
from orders.choices import OrderAction
from orders.models import Order

Words = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """One thing staff may ask: who may, what is said before, and which service does it."""

    action: OrderAction
    title: Words
    says: Words
    done: Words
    bulk_title: Words = ""
    bulk_says: Words = ""
    call: Callable[[Order, User, str], Order]
    needs_why: bool = False
    asks_why: bool = True
    is_destructive: bool = False
    shows_plan: bool = False


STEERS: Mapping[OrderAction, Steer] = {
    one.action: one
    for one in (
        Steer(
            action=OrderAction.PLACE,
            title=_("Place the order"),
            says=_("The order then waits for approval, unless its plan approves by itself. The customer is told."),
            done=_("Order %(order)s has been placed."),
            call=lambda order, actor, why: services.place_order(order=order, actor=actor),
            asks_why=False,
            shows_plan=True,
        ),
        Steer(
            action=OrderAction.APPROVE,
            title=_("Approve the order"),
            bulk_title=_("Approve selected orders"),
            bulk_says=_("Everything on their plans is made now; each subscription starts once every check has passed."),
            says=_("All of this is made now, and the subscription starts once every check has passed."),
            done=_("Order %(order)s is approved; it is being set up."),
            call=lambda order, actor, why: services.approve_order(order=order, actor=actor),
            asks_why=False,
            shows_plan=True,
        ),
        Steer(
            action=OrderAction.SUSPEND,
            title=_("Suspend the order"),
            says=_("Its services stop and monitoring pauses. All data is kept; resuming starts the services again."),
            done=_("Order %(order)s is being suspended."),
            call=lambda order, actor, why: services.suspend_order(order=order, actor=actor, why=why),
            needs_why=True,
        ),
        Steer(
            action=OrderAction.RESUME,
            title=_("Resume the order"),
            says=_("Its services start again on the data that was kept, and monitoring goes on."),
            done=_("Order %(order)s is being resumed."),
            call=lambda order, actor, why: services.resume_order(order=order, actor=actor, why=why),
        ),
        Steer(
            action=OrderAction.RETRY,
            title=_("Try again"),
            bulk_title=_("Try selected orders again"),
            bulk_says=_("What failed is tried again from where it stands; an order with nothing to try refuses."),
            says=_("What failed is tried again from where it stands; what is there already is only confirmed."),
            done=_("Order %(order)s is being tried again."),
            call=lambda order, actor, why: services.retry_order(order=order, actor=actor, why=why),
        ),
        Steer(
            action=OrderAction.REMOVE,
            title=_("Remove the order"),
            says=_("This cannot be undone. The order, its timeline and its invoices stay; all of this is destroyed:"),
            done=_("Order %(order)s is being removed."),
            call=lambda order, actor, why: services.remove_order(order=order, actor=actor, why=why),
            needs_why=True,
            is_destructive=True,
        ),
    )
}


def needs_reference(how: Steer, order: Order) -> bool:
    """True when the reference is to be typed: something real would be destroyed."""
    return how.is_destructive and not order.is_sandbox and order.placed_at is not None


class SteerForm(forms.Form):
    """The reason, and for what cannot be undone the order's reference typed by hand."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept on the timeline, where the customer reads it too."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    reference = forms.CharField(
        label=_("Reference"),
        max_length=20,
        help_text=_("Type the order's reference to confirm."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, how: Steer, order: Order | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.fields["why"].required = how.needs_why
        if not how.asks_why:
            del self.fields["why"]
        if order is None or not needs_reference(how, order):
            del self.fields["reference"]

    def clean_reference(self) -> str:
        """What was typed is the order's own reference."""
        typed = str(self.cleaned_data["reference"]).strip().upper()
        if self.order is None or typed != self.order.reference:
            raise forms.ValidationError(gettext("This is not the reference of this order."))
        return typed


def steer_one(model_admin: Any, request: HttpRequest, object_id: str, how: Steer) -> HttpResponse:
    """Says what will happen; when it is confirmed, asks the service and goes back to the order."""
    order: Order | None = model_admin.get_object(request, object_id)
    if order is None:
        raise Http404
    back = reverse("admin:orders_order_change", args=(order.pk,))
    if not order.allows(how.action):
        words = gettext("That cannot be asked of this order: it is “%(state)s”.")
        messages.error(request, words % {"state": order.get_state_display()})
        return redirect(back)
    form = SteerForm(request.POST if request.method == "POST" else None, how=how, order=order)
    if request.method == "POST" and form.is_valid():
        _carry_out(model_admin, request, order, how, form.cleaned_data.get("why", ""))
        return redirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": how.title,
        "opts": model_admin.opts,
        "original": order,
        "order": order,
        "tone": state_colours.OF_STATE[order.state],
        "how": how,
        "form": form,
        "back": back,
        "plan": plan_of(order) if how.shows_plan else [],
        "destroyed": would_destroy(order) if how.is_destructive else [],
    }
    return TemplateResponse(request, "admin/orders/order/steer.html", context)


def _carry_out(model_admin: Any, request: HttpRequest, order: Order, how: Steer, why: str) -> None:
    """The service has done it and the history says so, or its refusal is shown."""
    try:
        how.call(order, request.user, why)  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return
    model_admin.log_change(request, order, f"{how.title}. {why}".strip())
    messages.success(request, str(how.done) % {"order": order.reference})


def bulk_change(request: HttpRequest, how: Steer) -> Change:
    """The same asked of many orders: `core.admin.confirmed_actions` confirms, counts and logs."""
    actor: User = request.user  # type: ignore[assignment]
    return Change(
        title=how.bulk_title,
        says=how.bulk_says,
        verb=lambda order: how.call(order, actor, ""),
        describe=_in_a_line,
    )


def _in_a_line(order: Order) -> str:
    price = gettext("rehearsal") if order.is_sandbox else money_words(order.terms.money)
    return f"{order.reference} · {order.name} · {order.customer} · {order.plan} · {price} · {order.get_state_display()}"
