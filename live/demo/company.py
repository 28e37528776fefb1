"""A whole company for the demonstration that stays: customers, orders in every state, invoices, history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import override_settings

from billing.invoicing.services import bill_due_subscriptions, mark_paid
from billing.models import Invoice, Subscription
from core import clock
from customers.models import Address, Customer
from customers.services import register_customer
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from live.demo.cast import SELLER, Cast
from monitoring.choices import ServiceStatus
from monitoring.incidents.services import open_incident
from monitoring.models import DailyAvailability
from monitoring.reports.services import make_reports
from orders.choices import State, Wanted
from orders.models import Order
from orders.services import approve_order, create_order, place_order, remove_order, suspend_order
from products.models import Plan

DAYS = 60
DAY_SECONDS = 86_400
# name, e-mail, country, postcode and city, street, VAT id
CUSTOMERS = (
    ("Gemeente Heuvelrand", "geo@heuvelrand.example", "NL", "3941 AB", "Doorn", "Dorpsstraat 4", ""),
    ("Provincie Laagland", "kaarten@laagland.example", "NL", "8911 DH", "Leeuwarden", "Tweebaksmarkt 9", ""),
    ("Stad Scheldemonde", "gis@scheldemonde.example", "BE", "2000", "Antwerpen", "Scheldekaai 12", ""),
    ("Landkreis Nordheide", "geodaten@nordheide.example", "DE", "21244", "Buchholz", "Rathausplatz 1", ""),
    ("Fjordkommune", "kart@fjordkommune.example", "NO", "5003", "Bergen", "Strandgaten 20", ""),
    ("Hill & Dale Surveyors", "maps@hillanddale.example", "GB", "LA9 4QT", "Kendal", "Fell Road 7", ""),
)
DOWN, FULL = "sandbox-outage", "sandbox-full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The orders that go on changing after they were placed."""

    active: list[Order]
    suspended: Order
    removed: Order
    degraded: Order
    attention: Order

    @property
    def awaited(self) -> list[Order]:
        """Those that have to be active before `complete_company`."""
        return [*self.active, self.suspended, self.removed, self.degraded]


def found_company(cast: Cast) -> Company | None:
    """Customers exist and their orders are placed; None when this was done before."""
    if Customer.objects.filter(email=CUSTOMERS[0][1]).exists():
        return None
    _providers()
    heuvelrand, laagland, stad, kreis, fjord, dale = (_customer(*row) for row in CUSTOMERS)
    _order(cast, dale, "Survey maps")  # a draft
    place_order(order=_order(cast, stad, "City atlas", plan=_reviewed_plan()), actor=cast.staff)
    _invoices(cast, heuvelrand)
    return Company(
        active=[_started(cast, heuvelrand, "Zoning plans"), _started(cast, laagland, "Open data")],
        suspended=_started(cast, kreis, "Heathland portal"),
        removed=_started(cast, fjord, "Harbour charts"),
        degraded=_started(cast, laagland, "Water levels", DOWN),
        attention=_started(cast, kreis, "Forest inventory", FULL),
    )


def complete_company(cast: Cast, company: Company) -> None:
    """With its orders active: a suspension, a removal, an outage with its incident, and the months before."""
    suspend_order(order=company.suspended, actor=cast.staff, why="The customer asked for a pause.")
    remove_order(order=company.removed, actor=cast.staff, why="The contract has ended.")
    SandboxSwitches.objects.filter(provider__slug=DOWN).update(endpoints_down=True)
    open_incident(
        orders=[company.degraded],
        title="Map services unavailable",
        impact=ServiceStatus.MAJOR,
        message="We are investigating why the map services do not respond.",
        actor=cast.staff,
    )
    for number, order in enumerate(company.active):
        write_history(order, number)
    make_reports()


@transaction.atomic
def write_history(order: Order, number: int) -> None:
    """The order is as if it had been measured for sixty days, with a bad hour now and then."""
    now, today = clock.now(), clock.today()
    begin = now - timedelta(days=DAYS)
    Order.objects.filter(pk=order.pk).update(created_at=begin, placed_at=begin, approved_at=begin, activated_at=begin)
    rows = []
    for ago in range(1, DAYS + 1):
        down = 1_800 if (ago + number * 5) % 23 == 0 else 0
        slow = 0.12 + (ago % 7) / 100
        rows.append(
            DailyAvailability(
                order=order,
                day=today - timedelta(days=ago),
                up=DAY_SECONDS - down,
                down=down,
                checks=1_440,
                answers=1_440 - down // 60,
                seconds_total=slow * (1_440 - down // 60),
                seconds_max=slow * 4,
                closed_at=now,
            )
        )
    DailyAvailability.objects.bulk_create(rows, ignore_conflicts=True)


def seller_settings() -> dict[str, dict[str, str]]:
    """The settings by which invoices have the demonstration's seller, where the environment names no other."""
    ours = {name.removeprefix("SELLER_").lower(): value for name, value in SELLER.items()}
    return {
        setting: {key: value or ours.get(key, "") for key, value in getattr(settings, setting).items()}
        for setting in ("SELLER", "SELLER_ACCOUNT")
    }


@transaction.atomic
def _invoices(cast: Cast, customer: Customer) -> None:
    """A paid, an overdue and an open invoice of an order that has been removed since: nothing real runs for it."""
    today = clock.today()
    plan = _plan()
    order = create_order(customer=customer, plan=plan, name="Former viewer", inputs=_inputs(plan), actor=cast.staff)
    subscription = Subscription.objects.create(
        order=order,
        customer=customer,
        description=f"{plan.product.name} · {plan.name}",
        price=plan.price or Decimal(0),
        setup_fee=plan.setup_fee,
        currency=plan.currency,
        period=Subscription.Period.MONTH,
        started_on=today - timedelta(days=70),
        next_invoice_on=today - timedelta(days=70),
    )
    with override_settings(**seller_settings()):
        for ago in (70, 36, 5):
            bill_due_subscriptions(today=today - timedelta(days=ago))
    Subscription.objects.filter(pk=subscription.pk).update(
        state=Subscription.State.ENDED, next_invoice_on=None, ended_on=today
    )
    now = clock.now()
    Order.objects.filter(pk=order.pk).update(
        state=State.REMOVED, wanted=Wanted.REMOVED, reason="Removed.", placed_at=now, approved_at=now, removed_at=now
    )
    if (first := Invoice.objects.filter(customer=customer).order_by("pk").first()) is not None:
        mark_paid(invoice=first, paid_on=today - timedelta(days=60))


def _providers() -> None:
    for slug, name, switches in (
        (DOWN, "Sandbox with an outage", {}),
        (FULL, "Sandbox without quota", {"quota": 0}),
    ):
        provider, _ = Provider.objects.get_or_create(
            slug=slug, defaults={"name": name, "kind": Provider.Kind.SANDBOX, "rank": 90}
        )
        SandboxSwitches.objects.get_or_create(provider=provider, defaults=switches)


def _customer(name: str, email: str, country: str, postcode: str, city: str, street: str, vat_id: str) -> Customer:
    customer = register_customer(name=name, email=email, vat_id=vat_id)
    Address.objects.create(customer=customer, street=street, postcode=postcode, city=city, country=country)
    return customer


def _plan() -> Plan:
    plans = Plan.objects.filter(product__slug="sdi-lite", state=Plan.State.OFFERED).select_related("product")
    return plans.order_by("price")[:1].get()


def _reviewed_plan() -> Plan | None:
    """One whose orders wait for approval."""
    plans = Plan.objects.filter(product__slug="sdi-lite", state=Plan.State.OFFERED, auto_approve=False)
    return plans.select_related("product").first()


def _inputs(plan: Plan) -> Mapping[str, Any]:
    values = {"title": "Maps of the region", "contact_email": "gis@example.org"}
    newest = plan.product.releases.order_by("-pk")[:1].get()
    return {spec["key"]: values[spec["key"]] for spec in newest.inputs if spec["key"] in values}


def _order(cast: Cast, customer: Customer, name: str, provider: str = "", plan: Plan | None = None) -> Order:
    plan = plan or _plan()
    return create_order(
        customer=customer,
        plan=plan,
        name=name,
        inputs=_inputs(plan),
        sandbox=True,
        provider_slug=provider,
        actor=cast.staff,
    )


def _started(cast: Cast, customer: Customer, name: str, provider: str = "") -> Order:
    order = place_order(order=_order(cast, customer, name, provider), actor=cast.staff)
    return approve_order(order=order, actor=cast.staff) if order.state == State.PENDING else order
