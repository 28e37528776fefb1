"""The file of an invoice."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.documents.services import Syntax, open_pdf, open_xml
from billing.models import Invoice
from live.portal.access import viewer


@login_required
@require_safe
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse | FileResponse:
    """The invoice as a file; until it is made, the viewer is told to come back."""
    visible = Invoice.objects.visible_to(viewer(request)).select_related("customer")
    invoice = get_object_or_404(visible, number=number)
    file = open_pdf(invoice)
    if file is None:
        messages.info(
            request, _("The PDF of invoice %(number)s is not ready yet. Try again in a minute.") % {"number": number}
        )
        return redirect("portal:customer", number=invoice.customer.number)
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
