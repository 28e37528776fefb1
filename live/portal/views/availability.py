"""How a customer's services stand and stood, and the link by which others may see it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.errors import Refusal
from customers.models import Customer
from live.portal.access import may_steer, viewer
from monitoring.models import StatusPage
from monitoring.status_pages.display import summary_of
from monitoring.status_pages.services import renew_link, revoke_link


@login_required
@require_safe
@never_cache
def availability(request: HttpRequest, number: str) -> HttpResponse:
    """The pieces of the status page for those who sign in; owners also see the link to share."""
    customer = visible_customer(request, number)
    steers = may_steer(viewer(request), customer)
    page = StatusPage.objects.filter(customer=customer).first() if steers else None
    context = {"customer": customer, "summary": summary_of(customer), "page": page, "may_steer": steers}
    return render(request, "portal/availability.html", context)


@login_required
@require_POST
def share(request: HttpRequest, number: str) -> HttpResponse:
    """The status page has a new link, or none any more, as its owner asked."""
    customer = visible_customer(request, number)
    if not may_steer(viewer(request), customer):
        raise PermissionDenied
    choice = request.POST.get("link")
    if choice == "off":
        _take_back(request, customer)
    elif choice == "new":
        renew_link(customer=customer)
        messages.success(request, _("New link created. Earlier links no longer work."))
    else:
        raise BadRequest("Neither a new link nor none")
    return redirect("portal:availability", number=number)


def _take_back(request: HttpRequest, customer: Customer) -> None:
    page = get_object_or_404(StatusPage, customer=customer)
    try:
        revoke_link(page=page)
    except Refusal as refusal:
        messages.info(request, refusal.message)
    else:
        messages.success(request, _("Link revoked. The status page is no longer available."))


def visible_customer(request: HttpRequest, number: str) -> Customer:
    """The customer, if the viewer may see it; else there is no such page."""
    customer: Customer = get_object_or_404(Customer.objects.visible_to(viewer(request)), number=number)
    return customer
