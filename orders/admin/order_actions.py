"""What staff may ask of an order: first a page that says what will happen, then, confirmed, the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one
from orders import display as order_display
from orders import services
from orders.admin.order_page import money_words, plan_of, would_destroy
from orders.choices import OrderAction
from orders.models import Order

ACTIONS: Mapping[OrderAction, ConfirmedAction] = {
    OrderAction.PLACE: ConfirmedAction(
        title=_("Place order"),
        says=_("The order then waits for approval, unless its plan approves automatically. The customer is e-mailed."),
        done=_("Order %(row)s has been placed."),
        verb=lambda order, actor, why: services.place_order(order=order, actor=actor),
        asks_reason=False,
    ),
    OrderAction.APPROVE: ConfirmedAction(
        title=_("Approve order"),
        says=_("Everything below is created now. The subscription starts when all checks have passed."),
        done=_("Order %(row)s is approved; provisioning has started."),
        verb=lambda order, actor, why: services.approve_order(order=order, actor=actor),
        asks_reason=False,
    ),
    OrderAction.SUSPEND: ConfirmedAction(
        title=_("Suspend order"),
        says=_("Services stop and monitoring pauses. All data is kept; resuming starts the services again."),
        done=_("Order %(row)s is being suspended."),
        verb=lambda order, actor, why: services.suspend_order(order=order, actor=actor, why=why),
        needs_reason=True,
    ),
    OrderAction.RESUME: ConfirmedAction(
        title=_("Resume order"),
        says=_("Services start again with the data that was kept, and monitoring resumes."),
        done=_("Order %(row)s is being resumed."),
        verb=lambda order, actor, why: services.resume_order(order=order, actor=actor, why=why),
    ),
    OrderAction.RETRY: ConfirmedAction(
        title=_("Try again"),
        says=_("What failed is retried; components that are running are only checked again."),
        done=_("Retrying order %(row)s."),
        verb=lambda order, actor, why: services.retry_order(order=order, actor=actor, why=why),
    ),
    OrderAction.REMOVE: ConfirmedAction(
        title=_("Remove order and destroy its data"),
        says=_("This cannot be undone. The order, its timeline and its invoices are kept; the following is destroyed:"),
        done=_("Order %(row)s is being removed."),
        verb=lambda order, actor, why: services.remove_order(order=order, actor=actor, why=why),
        needs_reason=True,
        is_destructive=True,
    ),
}

SHOW_PLAN = (OrderAction.PLACE, OrderAction.APPROVE)


def _in_a_line(order: Order) -> str:
    price = gettext("sandbox") if order.is_sandbox else money_words(order.terms.money)
    return f"{order.reference} · {order.name} · {order.customer} · {order.plan} · {price} · {order.state_label}"


BULK_ACTIONS: Mapping[OrderAction, ConfirmedAction] = {
    OrderAction.APPROVE: replace(
        ACTIONS[OrderAction.APPROVE],
        title=_("Approve selected orders"),
        says=_("Everything in their plans is created now. Subscriptions start when all checks have passed."),
        describe=_in_a_line,
    ),
    OrderAction.RETRY: replace(
        ACTIONS[OrderAction.RETRY],
        title=_("Retry selected orders"),
        says=_("What failed is retried. Orders without a failure are left as they are."),
        describe=_in_a_line,
    ),
}


def needs_reference(action: ConfirmedAction, order: Order) -> bool:
    """True when the reference is to be typed: something real would be destroyed."""
    return action.is_destructive and not order.is_sandbox and order.placed_at is not None


class OrderActionForm(ReasonForm):
    """The reason, and for what cannot be undone the order's reference typed by hand."""

    reference = forms.CharField(
        label=_("Reference"),
        max_length=20,
        help_text=_("Enter the order's reference to confirm."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, request: HttpRequest, action: ConfirmedAction, order: Order) -> None:
        super().__init__(request, action, _("Shown on the timeline, to the customer too."))
        self.order = order
        if not needs_reference(action, order):
            del self.fields["reference"]

    def clean_reference(self) -> str:
        """What was typed is the order's own reference."""
        typed = str(self.cleaned_data["reference"]).strip().upper()
        if typed != self.order.reference:
            raise forms.ValidationError(gettext("This is not the reference of this order."))
        return typed

    def answers(self) -> dict[str, Any]:
        """The reason alone."""
        return {"why": self.cleaned_data.get("why", "")}


def confirm_order_action(model_admin: Any, request: HttpRequest, object_id: str, kind: OrderAction) -> HttpResponse:
    """Says what will happen; when it is confirmed, calls the service and goes back to the order."""
    order: Order | None = model_admin.get_object(request, object_id)
    if order is None:
        raise Http404
    back = reverse("admin:orders_order_change", args=(order.pk,))
    if not order.allows(kind):
        message = gettext("Not possible: the order is “%(state)s”.")
        messages.error(request, message % {"state": order.state_label})
        return redirect(back)
    action = ACTIONS[kind]
    return change_one(
        model_admin,
        request,
        order,
        action,
        OrderActionForm(request, action, order),
        name=order.reference,
        back=back,
        header="admin/orders/order/_action_header.html",
        order=order,
        tone=order_display.tone_of(order),
        facts=plan_of(order) if kind in SHOW_PLAN else [],
        rows=(would_destroy(order) or [gettext("Nothing: no component has been created yet.")])
        if action.is_destructive
        else [],
    )
