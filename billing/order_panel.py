"""What this room shows of an order on the order's page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from billing.models import Invoice, Subscription
from billing.subscriptions.services import preview_first_invoice, vat_note
from core.money import Money, round_money
from orders.choices import Part
from orders.models import Order
from orders.order_panels import Fact, OrderPanel, OrderPanels, PartRow


class BillingPanels(OrderPanels):
    """What an order costs, and what is owed for it."""

    name: ClassVar[str] = "billing"

    def part_rows(self, order: Order) -> Iterable[PartRow]:
        """The subscription, which has no controller of its own."""
        subscription = Subscription.objects.filter(order=order).first()
        if subscription is not None:
            yield PartRow(
                part=Part.SUBSCRIPTION,
                name=subscription.get_state_display(),
                url=reverse("admin:billing_subscription_change", args=(subscription.pk,)),
                attempts=0,
                next_attempt_at=None,
                last_error="",
            )

    def panels(self, order: Order) -> Iterable[OrderPanel]:
        """Its newest invoices."""
        invoices = list(Invoice.objects.of_order(order).order_by("-pk")[:12])
        if invoices:
            yield OrderPanel(
                title=_("Invoices"), template="admin/billing/_invoices.html", values={"invoices": invoices}
            )

    def plan(self, order: Order) -> Iterable[Fact]:
        """What it would cost."""
        return self.price(order)

    def price(self, order: Order) -> Iterable[Fact]:
        """What the first invoice would come to, taxes as they are for this customer, and why none are charged."""
        _lines, totals = preview_first_invoice(order)
        note = vat_note(totals)
        locale, currency = get_language() or "en", order.terms.currency
        net, tax = Money(totals.net, currency).format(locale), Money(totals.tax, currency).format(locale)
        amounts = _("%(gross)s: %(net)s and %(tax)s VAT") % {
            "gross": Money(totals.gross, currency).format(locale),
            "net": net,
            "tax": tax,
        }
        yield Fact(
            label=_("First invoice"),
            value=f"{amounts} · {_('specimen, no charge')}" if order.is_sandbox else amounts,
        )
        if note:
            yield Fact(label=_("Why no VAT"), value=note)

    def planned(self, order: Order, *, inside: bool) -> Mapping[str, Any]:
        """The same, line by line."""
        lines, totals = preview_first_invoice(order)
        currency = order.terms.currency
        return {
            "first_invoice": {
                "lines": [{"description": line.description, "net": _amount(line.net, currency)} for line in lines],
                "net": _amount(totals.net, currency),
                "tax": _amount(totals.tax, currency),
                "gross": _amount(totals.gross, currency),
                "specimen": order.is_sandbox,
            }
        }

    def would_destroy(self, order: Order) -> Iterable[str]:
        """What ends, and what does not."""
        if not Subscription.objects.filter(order=order, state=Subscription.State.ACTIVE).exists():
            return
        count = Invoice.objects.owed().of_order(order).count()
        amounts = ngettext("%(count)d open invoice remains payable", "%(count)d open invoices remain payable", count)
        owed = f"; {amounts % {'count': count}}" if count else ""
        yield _("Its subscription ends%(owed)s.") % {"owed": owed}


def _amount(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": f"{round_money(amount, currency):f}", "currency": currency}
