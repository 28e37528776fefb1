"""Money on a customer's page: what is outstanding, and the last invoices."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from core import clock
from core.money import Money
from customers.display import CustomerPanel
from customers.models import Customer, User

SHOWN = 10


def invoices_panel(customer: Customer, viewer: User) -> CustomerPanel | None:
    """What the customer has to pay, by currency, and its last invoices."""
    if not viewer.has_perm("billing.view_invoice"):
        return None
    owed: dict[str, Money] = {}
    overdue = 0
    for invoice in Invoice.objects.owed().filter(customer=customer):
        amount = owed[invoice.currency].amount if invoice.currency in owed else 0
        owed[invoice.currency] = Money(amount + invoice.outstanding, invoice.currency)
        overdue += invoice.due_on < clock.today()
    invoices = list(Invoice.objects.filter(customer=customer).order_by("-issued_on", "-pk")[:SHOWN])
    amounts = [money.format(get_language() or "en") for money in owed.values()]
    values = {"invoices": invoices, "amounts": amounts, "overdue": overdue, "customer": customer}
    return CustomerPanel(title=_("Outstanding"), template="admin/billing/_invoices_of_customer.html", values=values)
