"""A small company's year: forty customers of all kinds, and what happens to them, day by day."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from billing.dunning.services import resume_paid_orders, send_reminders
from billing.invoicing.services import bill_due_subscriptions, credit_invoice
from billing.models import ExchangeRate, Invoice, Subscription
from billing.payments.services import credit_balance, refund
from billing.payments.statements import import_statement
from billing.subscriptions.reconcile import reconcile_all
from billing.subscriptions.terms_changes import announce_price
from core import clock
from customers.models import Customer
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderPart
from orders.services import place_order, remove_order, report
from orders.terms import Terms
from tests.billing.cast import make_customer
from tests.billing.payments.statement_files import camt, entry
from tests.factories import PlanFactory, ReleaseFactory, make_draft

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
CHECKED = datetime(2025, 12, 1, tzinfo=UTC)
# country, kind, VAT id, currency: ten of each group.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    ("domestic", (("NL", "company", "NL861234567B84", "EUR"), ("NL", "person", "", "EUR"))),
    ("reverse charge", (("DE", "company", "DE136695976", "EUR"), ("BE", "company", "BE0428759497", "EUR"))),
    ("OSS", (("FI", "person", "", "EUR"), ("HU", "person", "", "EUR"), ("FR", "company", "", "EUR"))),
    ("outside", (("CH", "company", "", "EUR"), ("US", "company", "", "USD"))),
)
PRICES = ("49.00", "149.00", "19.99", "0.00", "333.33")
PERIODS = ("month", "month", "month", "quarter", "year")
PAYERS = ("prompt", "prompt", "late", "in parts", "too much")
ARRIVED = {
    Wanted.RUNNING: PartState.READY,
    Wanted.SUSPENDED: PartState.SUSPENDED,
    Wanted.REMOVED: PartState.REMOVED,
}
REMORSE = date(2026, 10, 5)  # the deadbeat pays all of it, and promptly from then on
RATES = {1: "1.082500", 4: "1.104000", 7: "1.071900", 10: "1.090000"}


@dataclass(kw_only=True)
class Company:
    """The customers, how each pays, and the events that were played."""

    on: Callable[[date], None]
    dice: random.Random = field(default_factory=lambda: random.Random(2026))  # noqa: S311
    payers: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    deadbeat: Customer | None = None
    played: dict[str, int] = field(default_factory=dict)

    def live_through(self, until: date = LAST) -> None:
        """Every day of the year."""
        self._found()
        day = FIRST
        while day <= until:
            self.on(day)
            self._sign_up(day)
            self._play(day)
            self._arrive()
            reconcile_all()
            bill_due_subscriptions()
            send_reminders()
            self._pay(day)
            resume_paid_orders()
            day += timedelta(days=1)

    def count(self, event: str) -> None:
        """One more of these has happened."""
        self.played[event] = self.played.get(event, 0) + 1

    def _found(self) -> None:
        for month, rate in RATES.items():
            ExchangeRate.objects.create(currency="USD", published_on=date(2026, month, 1), per_euro=Decimal(rate))
        ExchangeRate.objects.create(currency="USD", published_on=date(2025, 12, 31), per_euro=Decimal("1.080000"))
        self._release = ReleaseFactory()
        self._waiting = [(name, *self._customer_of(name, kinds, n)) for name, kinds in GROUPS for n in range(10)]
        self._with_two_orders = [customer for _name, customer, _currency in self._waiting[3::4]]
        self.dice.shuffle(self._waiting)

    def _customer_of(self, name: str, kinds: Any, n: int) -> tuple[Customer, str]:
        country, kind, vat_id, currency = kinds[n % len(kinds)]
        profile: dict[str, Any] = {
            "discount": Decimal(["0", "10", "12.50"][n % 3]),
            "grouping": ["customer", "order"][n % 2],
            "invoice_day": [None, 1, 15][n % 3],
            "trial_days": 14 if n == 4 else 0,
            "minimum_months": 6 if n == 5 else 0,
            "notice_days": 30 if n == 6 else 0,
        }
        checked = CHECKED if vat_id else None
        customer = make_customer(country, kind=kind, vat_id=vat_id, vat_id_checked_at=checked, profile=profile)
        self.payers[customer.pk] = PAYERS[n % len(PAYERS)]
        self.groups[customer.pk] = name
        if name == "domestic" and n == 0:
            self.deadbeat = customer
        return customer, currency

    def _sign_up(self, day: date) -> None:
        """One customer every third day, some with a second order."""
        if (day - FIRST).days % 3 or not self._waiting:
            return
        _name, customer, currency = self._waiting.pop()
        for _ in range(1 + (customer in self._with_two_orders)):
            plan = PlanFactory(
                product=self._release.product,
                slug=f"plan-{Order.objects.count()}",
                price=Decimal(self.dice.choice(PRICES)) if customer != self.deadbeat else Decimal("49.00"),
                setup_fee=Decimal(self.dice.choice(["0.00", "95.00"])),
                currency=currency,
                auto_approve=True,
                period=self.dice.choice(PERIODS) if customer != self.deadbeat else "month",
            )
            order = place_order(order=make_draft(customer=customer, plan=plan, release=self._release))
            self._arrive()
            started = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
            Order.objects.filter(pk=order.pk).update(activated_at=started)

    def _arrive(self) -> None:
        """The parts of every order are where it wants them."""
        for order in Order.objects.exclude(pk__in=self._arrived()):
            for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
                report(order.pk, part, ARRIVED[Wanted(order.wanted)], version=order.wanted_version)

    def _arrived(self) -> QuerySet[OrderPart]:
        parts = OrderPart.objects.filter(part=Part.SERVER, version=F("order__wanted_version"))
        return parts.values("order")

    def _play(self, day: date) -> None:
        active = list(
            Subscription.objects.filter(state="active", ended_on=None, order__state=State.ACTIVE)
            .exclude(customer=self.deadbeat)
            .select_related("order", "customer")
            .order_by("pk")
        )
        if not active:
            return
        subscription = self.dice.choice(active)
        if day.day == 11:
            self._agree(subscription, Decimal("2") * (subscription.price or Decimal("20.00")))
            self.count("upgrade")
        elif day.day == 21:
            self._agree(subscription, (subscription.price / 2).quantize(Decimal("0.01")))
            self.count("downgrade")
        elif day.day == 26 and day.month % 3 == 0:
            remove_order(order=subscription.order)
            self.count("cancellation")
        elif day.day == 5 and day.month in (4, 8):
            price = subscription.price + Decimal("5.00")
            if not subscription.minimum_until or subscription.minimum_until < day:
                announce_price(subscription=subscription, price=price, effective_on=day + timedelta(days=30))
                self.count("announcement")
        elif day.day == 17:
            self._credit()
        elif day.day == 28:
            self._refund()

    def _agree(self, subscription: Subscription, price: Decimal) -> None:
        terms = subscription.order.terms
        subscription.order.agree(
            Terms(price=price, setup_fee=Decimal(0), currency=terms.currency, period=terms.period, credit=Decimal(0))
        )
        subscription.order.save(update_fields=Order.AGREED_FIELDS)

    def _credit(self) -> None:
        candidates = Invoice.objects.filter(kind="invoice", gross__gt=10).exclude(credit_notes__isnull=False)
        invoice = self.dice.choice(list(candidates.order_by("pk")))
        line = invoice.lines.filter(net__gt=2).first()
        if line is None:
            return
        amounts = {line.position: Decimal("1.37")} if self.dice.random() < 0.7 else None
        credit_invoice(invoice=invoice, reason="Goodwill", amounts=amounts)
        self.count("credit")

    def _refund(self) -> None:
        for customer in Customer.objects.order_by("pk"):
            for currency in ("EUR", "USD"):
                if (left := credit_balance(customer, currency)) > 0 and self.dice.random() < 0.4:
                    refund(customer=customer, amount=left, currency=currency)
                    self.count("refund")

    def _pay(self, day: date) -> None:
        """One bank statement a day, with the habits of those who pay."""
        rows = []
        for invoice in Invoice.objects.owed().select_related("customer").order_by("pk"):
            habit, age = self.payers[invoice.customer_id], (day - invoice.issued_on).days
            if invoice.customer == self.deadbeat and day <= REMORSE:
                if day == REMORSE:
                    rows.append(self._row(invoice, invoice.outstanding))
                continue
            if (habit, age) in (("prompt", 3), ("late", 25)):
                rows.append(self._row(invoice, invoice.outstanding))
            elif habit == "too much" and age == 5:
                rows.append(self._row(invoice, invoice.outstanding + Decimal("0.50")))
            elif habit == "in parts" and age in (4, 12) and invoice.outstanding > Decimal("0.02"):
                half = (invoice.outstanding / 2).quantize(Decimal("0.01")) if age == 4 else invoice.outstanding
                rows.append(self._row(invoice, half))
        if rows:
            import_statement(content=camt(*rows, identifier=f"{day:%Y%m%d}"))

    def _row(self, invoice: Invoice, amount: Decimal) -> str:
        return entry(f"{amount:.2f}", f"Invoice {invoice.number}", currency=invoice.currency).replace(
            "2026-01-20", clock.today().isoformat()
        )

    @property
    def suspended(self) -> bool:
        """Whether the deadbeat's order is suspended."""
        return Order.objects.filter(customer=self.deadbeat, wanted=Wanted.SUSPENDED).exists()
