"""What members may do to an order: place it, cancel it, reveal its passwords."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Refusal
from customers.choices import Ability
from live.portal.access import own_order, viewer, wants_piece
from live.portal.order_page import order_facts, visible_secrets
from orders.choices import OrderAction, State
from orders.models import Order
from orders.services import place_order, remove_order, reveal_secrets


@login_required
@require_POST
def place(request: HttpRequest, reference: str) -> HttpResponse:
    """The draft is placed."""
    order = own_order(request, reference, Ability.ORDER)
    try:
        place_order(order=order, actor=viewer(request))
        messages.success(request, _("Thank you. Your order has been placed."))
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("portal:order", reference=reference)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, reference: str) -> HttpResponse:
    """First what would be destroyed; then, confirmed, the order is wanted gone."""
    order = order_to_remove(request, reference)
    if not order.allows(OrderAction.REMOVE):
        return redirect("portal:order", reference=reference)
    wrong = ""
    if request.method == "POST":
        was_draft = order.state == State.DRAFT
        typed = request.POST.get("confirm", "").strip().upper()
        if was_draft or typed == order.reference:
            return _removed(request, reference)
        wrong = _("Enter %(reference)s to confirm.") % {"reference": order.reference}
    return render(request, "portal/remove.html", {**order_facts(order, viewer(request)), "wrong": wrong})


def _removed(request: HttpRequest, reference: str) -> HttpResponse:
    order = order_to_remove(request, reference)
    was_draft = order.state == State.DRAFT
    try:
        remove_order(order=order, actor=viewer(request))
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("portal:order", reference=reference)
    if was_draft:
        messages.success(request, _("Draft discarded."))
        return redirect("portal:orders")
    messages.success(request, _("Your order is being removed."))
    return redirect("portal:order", reference=reference)


def order_to_remove(request: HttpRequest, reference: str) -> Order:
    """The order, if the viewer may cancel it; whoever prepares drafts may also discard them."""
    order = own_order(request, reference)
    if order.state != State.DRAFT and not viewer(request).may(Ability.ORDER, order.customer):
        raise PermissionDenied
    return order


@login_required
@require_POST
@never_cache
@sensitive_variables("values", "shown")
def secrets(request: HttpRequest, reference: str) -> HttpResponse:
    """The secrets that the product lets customers see; that they were shown is on the timeline."""
    order = own_order(request, reference)
    specs = visible_secrets(order)
    values = reveal_secrets(order=order, actor=viewer(request)) if specs else {}
    shown = [(spec["key"], spec["label"], values.get(spec["key"], "")) for spec in specs]
    template = "portal/_secrets.html" if wants_piece(request) else "portal/secrets.html"
    return render(request, template, {"order": order, "shown": shown})
