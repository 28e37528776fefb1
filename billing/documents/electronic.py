"""The XML of an invoice in both syntaxes, checked before anything of it is stored or sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing.einvoice import terms
from billing.einvoice.cii import cii_xml
from billing.einvoice.completeness import missing_terms
from billing.einvoice.gate import validator
from billing.einvoice.ubl import ubl_xml
from billing.invoice_document import InvoiceDocument
from core.errors import PermanentError

SHOWN = 5
logger = logging.getLogger(__name__)


class InvalidInvoice(PermanentError):
    """The invoice does not pass the rules of EN 16931 or of the law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectronicInvoice:
    """The same invoice in the two syntaxes of EN 16931."""

    cii: bytes
    ubl: bytes


def checked_invoice(document: InvoiceDocument) -> ElectronicInvoice | None:
    """The XML of `document`; raises InvalidInvoice, with the reasons, when it may not be sent.

    None where EN 16931 cannot state its amounts: such an invoice is a PDF. A specimen is nobody's invoice: it is shown
    even where the seller's details are not set yet.
    """
    problems, invoice = missing_terms(document), None
    if terms.fits(document):
        invoice = ElectronicInvoice(cii=cii_xml(document), ubl=ubl_xml(document))
        problems = problems or [*validator.findings(invoice.cii), *validator.findings(invoice.ubl)]
    if problems and document.is_specimen:
        logger.warning("Specimen %s would not be sent as an invoice: %s", document.number, _summary(problems))
    elif problems:
        raise InvalidInvoice(_("This invoice cannot be sent. %(problems)s") % {"problems": _summary(problems)})
    return invoice


def _summary(problems: list[str]) -> str:
    distinct = list(dict.fromkeys(problems))
    more = len(distinct) - SHOWN
    text = " ".join(distinct[:SHOWN])
    return text if more <= 0 else _("%(text)s And %(count)s more.") % {"text": text, "count": more}
