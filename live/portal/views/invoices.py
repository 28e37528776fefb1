"""A member's invoices: the list, what is to be paid and how, and the files."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.documents.services import Syntax, open_pdf, open_xml
from billing.models import Invoice
from core.money import Money
from customers.choices import Ability
from customers.models import Customer
from live.portal.access import viewer
from live.portal.invoice_rows import invoice_rows, payable_rows

PER_PAGE = 25
PAYABLE_SHOWN = 10


@login_required
@require_safe
def invoice_list(request: HttpRequest) -> HttpResponse:
    """Every invoice of the viewer's customers, newest first, after what is still to be paid."""
    user = viewer(request)
    visible = Invoice.objects.visible_to(user)
    page = Paginator(visible.select_related("pdf", "customer"), PER_PAGE).get_page(request.GET.get("page"))
    owed = visible.owed()
    sums = owed.order_by().values("currency").annotate(due=Sum(F("gross") - F("settled"))).order_by("currency")
    context = {
        "page": page,
        "invoices": invoice_rows(page),
        "totals": [Money(row["due"], row["currency"]) for row in sums],
        "payable": payable_rows(owed.order_by("due_on", "pk")[:PAYABLE_SHOWN]),
        "may_see": user.is_staff or Customer.objects.where_may(user, Ability.SEE_INVOICES).exists(),
    }
    return render(request, "portal/invoice_list.html", context)


@login_required
@require_safe
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse | FileResponse:
    """The invoice as a file; until it is made, the viewer is told to come back."""
    invoice = get_object_or_404(Invoice.objects.visible_to(viewer(request)), number=number)
    file = open_pdf(invoice)
    if file is None:
        messages.info(
            request, _("The PDF of invoice %(number)s is not ready yet. Try again in a minute.") % {"number": number}
        )
        return redirect("portal:invoices")
    return FileResponse(file, as_attachment=True, filename=f"{number}.pdf")


@login_required
@require_safe
def invoice_xml(request: HttpRequest, number: str) -> FileResponse:
    """The invoice as UBL, for the customer's own software."""
    invoice = get_object_or_404(Invoice.objects.visible_to(viewer(request)), number=number)
    file = open_xml(invoice, Syntax.UBL)
    if file is None:
        raise Http404
    return FileResponse(file, as_attachment=True, filename=f"{number}.xml", content_type="application/xml")
