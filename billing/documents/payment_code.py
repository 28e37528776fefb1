"""The QR code that banking apps read: EPC069-12, “SEPA credit transfer”."""

from __future__ import annotations

from decimal import Decimal

from billing.invoice_document import InvoiceDocument

LARGEST = Decimal("999999999.99")
NAME_LENGTH = 70


def payment_code(document: InvoiceDocument) -> str:
    """The code as SVG; empty where nothing is to be transferred in euros."""
    payment = document.payment
    is_possible = document.currency == "EUR" and document.totals.gross <= LARGEST
    if not (document.is_payable and payment.iban and is_possible):
        return ""
    from segno import helpers  # loaded by the first invoice that is paid by transfer

    code = helpers.make_epc_qr(
        name=(payment.account_holder or document.seller.name)[:NAME_LENGTH],
        iban=payment.iban,
        bic=payment.bic or None,
        amount=document.totals.gross,
        text=payment.reference or document.number,
    )
    return str(code.svg_inline(border=0, omitsize=True, dark="#1c2733", svgclass=None, lineclass=None))
