"""What a customer may request for an order: place, suspend, resume and cancel it, and see its secrets."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from billing.dunning.services import invoices_holding
from core.errors import Refusal
from customers.choices import Ability
from live.portal.access import own_order, viewer, wants_piece
from live.portal.confirmation.services import confirmation_url, is_confirmed
from live.portal.forms import RemovalForm
from live.portal.order_page import order_facts, visible_secrets, was_suspended_by_member
from live.portal.views.refusals import refusals_shown
from orders.choices import OrderAction, State
from orders.models import Order
from orders.removals.services import keep_order, schedule_removal
from orders.services import place_order, remove_order, resume_order, reveal_secrets, suspend_order


@login_required
@require_POST
def place(request: HttpRequest, reference: str) -> HttpResponse:
    """The draft is placed."""
    order = own_order(request, reference, Ability.ORDER)
    with refusals_shown(request):
        place_order(order=order, actor=viewer(request))
        messages.success(request, _("Thank you. Your order has been placed."))
    return redirect("portal:order", reference=reference)


@login_required
@require_POST
def suspend(request: HttpRequest, reference: str) -> HttpResponse:
    """The services are being stopped; their data is kept."""
    order = own_order(request, reference)
    with refusals_shown(request):
        suspend_order(order=order, actor=viewer(request))
        messages.success(request, _("Your services are being stopped. Your data is kept."))
    return redirect("portal:order", reference=reference)


@login_required
@require_POST
def resume(request: HttpRequest, reference: str) -> HttpResponse:
    """The services are started again, unless an invoice or our staff hold them."""
    order = own_order(request, reference)
    if held := invoices_holding(order):
        message = _("Pay invoice %(number)s first: your services are suspended until then.")
        messages.error(request, message % {"number": held[0].number})
        return redirect("portal:order", reference=reference)
    if not was_suspended_by_member(order):
        messages.error(request, _("We have suspended these services. Contact us to have them resumed."))
        return redirect("portal:order", reference=reference)
    with refusals_shown(request):
        resume_order(order=order, actor=viewer(request))
        messages.success(request, _("Your services are being started."))
    return redirect("portal:order", reference=reference)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, reference: str) -> HttpResponse:
    """First what would be destroyed; then, confirmed, the order ends at once or on the chosen day."""
    order = order_to_remove(request, reference)
    if not order.allows(OrderAction.REMOVE):
        return redirect("portal:order", reference=reference)
    if request.method == "POST" and order.state == State.DRAFT:
        return _discarded(request, order)
    facts = order_facts(order, viewer(request))
    form = RemovalForm(request.POST or None, order=order, paid_until=facts["paid_until"])
    if request.method == "POST" and form.is_valid():
        try:
            return _removed(request, order, form)
        except Refusal as refusal:
            form.add_refusal(refusal)
    return render(request, "portal/remove.html", {**facts, "form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def keep(request: HttpRequest, reference: str) -> HttpResponse:
    """An order that was to end goes on."""
    with refusals_shown(request):
        keep_order(order=order_to_remove(request, reference), actor=viewer(request))
        messages.success(request, _("Your order goes on as before."))
    return redirect("portal:order", reference=reference)


def order_to_remove(request: HttpRequest, reference: str) -> Order:
    """The order, if the viewer may cancel it; whoever prepares drafts may also discard them."""
    order = own_order(request, reference)
    if order.state != State.DRAFT and not viewer(request).may(Ability.ORDER, order.customer):
        raise PermissionDenied
    return order


def _discarded(request: HttpRequest, order: Order) -> HttpResponse:
    with refusals_shown(request):
        remove_order(order=order, actor=viewer(request))
        messages.success(request, _("Draft discarded."))
    return redirect("portal:orders")


def _removed(request: HttpRequest, order: Order, form: RemovalForm) -> HttpResponse:
    why, on = form.cleaned_data["reason"], form.removal_on
    if on is None:
        remove_order(order=order, actor=viewer(request), why=why)
        messages.success(request, _("Your order is being removed."))
    else:
        schedule_removal(order=order, on=on, why=why, actor=viewer(request))
        messages.success(request, _("Your order will be removed on %(day)s.") % {"day": date_format(on, "j F Y")})
    return redirect("portal:order", reference=order.reference)


@login_required
@require_POST
@never_cache
@sensitive_variables("values", "shown")
def secrets(request: HttpRequest, reference: str) -> HttpResponse:
    """The secrets that the product lets customers see, once identity is confirmed; each view is on the timeline."""
    order = own_order(request, reference)
    if not is_confirmed(request, viewer(request)):
        url = confirmation_url(viewer(request), next_url=reverse("portal:order", args=(reference,)))
        return HttpResponseClientRedirect(url) if wants_piece(request) else redirect(url)
    specs = visible_secrets(order)
    values = reveal_secrets(order=order, actor=viewer(request)) if specs else {}
    shown = [(spec["key"], spec["label"], values.get(spec["key"], "")) for spec in specs]
    template = "portal/_secrets.html" if wants_piece(request) else "portal/secrets.html"
    return render(request, template, {"order": order, "shown": shown})
