"""What forbids the erasure of a customer: money that is still owed, either way."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from billing.models import Invoice
from billing.payments.services import balance
from customers.models import Customer


def obstacles(customer: Customer) -> Iterator[str]:
    """Open invoices are paid or credited first, and a credit balance is paid back."""
    owed = Invoice.objects.owed().filter(customer=customer).values_list("number", flat=True)
    if numbers := ", ".join(owed.order_by("pk")[:10]):
        yield _("These invoices are open: %(invoices)s.") % {"invoices": numbers}
    elif any(amount < 0 for amount in balance(customer).values()):
        yield _("The customer has a credit balance. Pay it back first.")


def erase(customer: Customer) -> None:
    """Nothing: invoices, payments, mandates and evidence of the customer's country are kept, as tax law says."""
