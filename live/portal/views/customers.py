"""The customers a viewer belongs to: who they are, who is told, what they were billed."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from billing.models import Invoice
from customers.choices import Ability
from customers.models import Customer
from live.portal.access import viewer
from live.portal.invoice_rows import invoice_rows

PER_PAGE = 25


@login_required
@require_safe
def customer_list(request: HttpRequest) -> HttpResponse:
    """The viewer's customers; a single one is shown at once."""
    customers = Customer.objects.visible_to(viewer(request))
    page = Paginator(customers, PER_PAGE).get_page(request.GET.get("page"))
    if page.paginator.count == 1:
        return redirect("portal:customer", number=page[0].number)
    return render(request, "portal/customer_list.html", {"page": page})


@login_required
@require_safe
def customer_page(request: HttpRequest, number: str) -> HttpResponse:
    """One customer."""
    customer = get_object_or_404(
        Customer.objects.visible_to(viewer(request)).prefetch_related("addresses", "contacts"), number=number
    )
    members = customer.memberships.select_related("user").order_by("role", "user__email")
    invoices = Invoice.objects.visible_to(viewer(request)).filter(customer=customer).select_related("pdf")
    page = Paginator(invoices, PER_PAGE).get_page(request.GET.get("page"))
    context = {"customer": customer, "members": members, "page": page, "invoices": invoice_rows(page)}
    context["may_see_invoices"] = viewer(request).is_staff or viewer(request).may(Ability.SEE_INVOICES, customer)
    return render(request, "portal/customer.html", context)
