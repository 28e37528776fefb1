"""SEPA direct debits: a valid file over what is owed and mandated, and a sentence for everything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.services import bill_due_subscriptions, mark_paid
from billing.models import Invoice, Mandate
from billing.payments.direct_debit import NoDirectDebit, direct_debit_file
from tests.billing.cast import DAY, make_subscription

pytestmark = pytest.mark.django_db
COLLECT = DAY + timedelta(days=7)


@pytest.fixture
def invoice(on: Callable[[date], None], settings: Any) -> Invoice:
    on(DAY)
    settings.SEPA_CREDITOR_ID = "NL50ZZZ400000440000"
    settings.SELLER_ACCOUNT = {"iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "account_holder": "Geocat"}
    subscription = make_subscription(price=Decimal("49.99"))
    Mandate.objects.create(
        customer=subscription.customer,
        reference="M-1",
        signed_on=date(2025, 12, 1),
        account_holder="Waterschap Vallei",
        iban="NL02ABNA0123456789",
    )
    bill_due_subscriptions()
    return Invoice.objects.get()


def test_first_collection_names_invoice_mandate_and_amount_to_the_cent(invoice: Invoice) -> None:
    text = direct_debit_file(invoices=[invoice], collect_on=COLLECT).decode()
    for expected in ("60.49", "M-1", invoice.number, "<SeqTp>FRST</SeqTp>", "2026-01-22", "NL50ZZZ400000440000"):
        assert expected in text
    assert Mandate.objects.get().used_at is not None


def test_second_collection_is_recurrent(invoice: Invoice) -> None:
    direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    assert "<SeqTp>RCUR</SeqTp>" in direct_debit_file(invoices=[invoice], collect_on=COLLECT).decode()


def test_nothing_is_collected_without_a_mandate_or_a_debt(invoice: Invoice) -> None:
    with pytest.raises(NoDirectDebit, match="later than today"):
        direct_debit_file(invoices=[invoice], collect_on=DAY)
    with pytest.raises(NoDirectDebit, match="nothing to collect"):
        direct_debit_file(invoices=[], collect_on=COLLECT)
    Mandate.objects.update(is_active=False)
    with pytest.raises(NoDirectDebit, match=f"{invoice.number} cannot be collected"):
        direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    Mandate.objects.update(is_active=True)
    with pytest.raises(NoDirectDebit, match="cannot be collected"):
        direct_debit_file(invoices=[mark_paid(invoice=invoice)], collect_on=COLLECT)


def test_company_without_a_creditor_identifier_collects_nothing(invoice: Invoice, settings: Any) -> None:
    settings.SEPA_CREDITOR_ID = ""
    with pytest.raises(NoDirectDebit, match="SEPA_CREDITOR_ID"):
        direct_debit_file(invoices=[invoice], collect_on=COLLECT)
