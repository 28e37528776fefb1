"""What may be asked of invoices in WHMCS: try again to create one."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import WhmcsInvoice
from core import clock
from core.engine.controller import enqueue_rows
from core.errors import Refusal


class InvoiceNotFailed(Refusal):
    """The invoice is in WHMCS, or will be."""

    code = "nothing_to_retry"


@transaction.atomic
def retry_invoice(*, invoice: WhmcsInvoice) -> None:
    """An invoice that WHMCS refused is handed over again."""
    if not invoice.has_failed:
        raise InvoiceNotFailed(_("This invoice has not failed, so there is nothing to retry."))
    WhmcsInvoice.objects.filter(pk=invoice.pk).update(failed_version=0, attempts=0, next_attempt_at=clock.now())
    enqueue_rows("whmcs invoice", [invoice.pk])
