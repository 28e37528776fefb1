"""What invoices would say: read in sets, computed, and nothing stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext as _

from billing.invoicing.evidence import all_evidence, evidence_of
from billing.invoicing.periods import BillingPeriod, period_to_bill
from billing.invoicing.pricing import PricedLine, SubscriptionTerms, Totals, first_lines, following_lines, total
from billing.invoicing.rates import EURO, euro_rates, in_euro, vat_rates
from billing.invoicing.vat import Buyer, Category, VatTreatment, vat_country, vat_treatment
from billing.models import (
    BillingProfile,
    ExchangeRate,
    Invoice,
    LocationEvidence,
    Mandate,
    PendingCharge,
    PriceChange,
    Subscription,
)
from customers.models import Customer

ZERO = Decimal(0)


class CannotBill(Exception):
    """This subscription cannot be invoiced until staff have acted; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPart:
    """What an invoice charges of one subscription: its next period, or only charges that came up within one."""

    subscription: Subscription
    period: BillingPeriod
    lines: tuple[PricedLine, ...]
    charges: tuple[PendingCharge, ...] = ()
    bills_period: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraft:
    """An invoice that is not issued yet, with what it charges."""

    invoice: Invoice
    parts: tuple[DraftPart, ...]
    totals: Totals


@dataclass(slots=True, kw_only=True)
class BillingContext:
    """All that drafting needs to know besides the subscriptions, read in a fixed number of queries."""

    today: date
    rates: Mapping[str, Decimal]
    euro: Mapping[str, ExchangeRate]
    profiles: Mapping[int, BillingProfile]
    prices: Mapping[int, list[PriceChange]]
    charges: Mapping[int, list[PendingCharge]]
    evidence: Mapping[int, list[tuple[str, str]]] = field(default_factory=dict)


def read_context(subscriptions: Sequence[Subscription], today: date) -> BillingContext:
    """Seven queries, however many subscriptions."""
    customers = {row.customer_id: row.customer for row in subscriptions}
    prefetch_related_objects(list(customers.values()), "billing_profile")  # reads those only that are not loaded yet
    pks = [row.pk for row in subscriptions if row.pk]
    prices: dict[int, list[PriceChange]] = defaultdict(list)
    for change in PriceChange.objects.filter(subscription__in=pks).order_by("effective_on"):
        prices[change.subscription_id].append(change)
    charges: dict[int, list[PendingCharge]] = defaultdict(list)
    for charge in PendingCharge.objects.waiting().filter(subscription__in=pks).order_by("pk"):
        charges[charge.subscription_id].append(charge)
    evidence = LocationEvidence.objects.filter(customer__in=customers).values_list("customer", "kind", "country")
    accounts = dict(Mandate.objects.filter(customer__in=customers).values_list("customer", "iban"))
    return BillingContext(
        today=today,
        rates=vat_rates(today),
        euro=euro_rates((row.currency for row in subscriptions), today),
        profiles={
            pk: customer.billing_profile for pk, customer in customers.items() if hasattr(customer, "billing_profile")
        },
        prices=prices,
        charges=charges,
        evidence=all_evidence(evidence, accounts),
    )


def draft_invoices(
    subscriptions: Sequence[Subscription], context: BillingContext, *, charges_only: bool = False
) -> tuple[list[InvoiceDraft], list[tuple[Subscription, str]]]:
    """An invoice per customer and period, or per order where the profile says so; and what cannot be billed, with why.

    Call it with customers, their addresses and orders loaded. With `charges_only` no period is billed.
    """
    draft = draft_charges if charges_only else draft_part
    groups: dict[tuple[Any, ...], list[DraftPart]] = {}
    problems: list[tuple[Subscription, str]] = []
    for subscription in subscriptions:
        if charges_only and not context.charges.get(subscription.pk):
            continue  # billed meanwhile
        with translation.override(language_of(subscription.customer, context.profiles.get(subscription.customer_id))):
            try:
                part = draft(subscription, context)
            except CannotBill as problem:
                problems.append((subscription, str(problem)))
                continue
        groups.setdefault(_group(part, context), []).append(part)
    return [_draft(parts, context) for parts in groups.values()], problems


def draft_part(subscription: Subscription, context: BillingContext) -> DraftPart:
    """The lines of the subscription's next period."""
    vat = _treatment(subscription, context)
    period, full = next_period(subscription)
    terms = SubscriptionTerms(
        description=subscription.description,
        detail=subscription.detail,
        price=_price(subscription, period.start, context),
        setup_fee=subscription.setup_fee,
        currency=subscription.currency,
        discount=subscription.discount,
    )
    charges = tuple(context.charges.get(subscription.pk, ()))
    is_first = period.start == subscription.started_on
    lines = first_lines(terms, period, vat, full) if is_first else following_lines(terms, period, vat, full)
    lines = (*lines, *(_charge_line(charge, subscription.currency, vat) for charge in charges))
    return DraftPart(subscription=subscription, period=period, lines=lines, charges=charges)


def draft_charges(subscription: Subscription, context: BillingContext) -> DraftPart:
    """The charges of the subscription that wait, without its next period."""
    vat, charges = _treatment(subscription, context), tuple(context.charges[subscription.pk])
    return DraftPart(
        subscription=subscription,
        period=BillingPeriod(min(charge.start for charge in charges), max(charge.end for charge in charges)),
        lines=tuple(_charge_line(charge, subscription.currency, vat) for charge in charges),
        charges=charges,
        bills_period=False,
    )


def next_period(subscription: Subscription) -> tuple[BillingPeriod, BillingPeriod]:
    """The period that is billed next, and the whole one it is a part of."""
    return period_to_bill(
        subscription.anchor_on or subscription.started_on,
        subscription.period,  # type: ignore[arg-type]  # a Literal of these three
        subscription.next_invoice_on or subscription.started_on,
        subscription.ended_on,
    )


def taxed_as(customer: Customer) -> Buyer:
    """The customer as VAT sees it; without an address, as one at home."""
    address = customer.billing_address
    return Buyer(
        country=address.country if address else settings.SELLER["country"],
        is_company=customer.kind == Customer.Kind.COMPANY,
        vat_id=customer.vat_id,
        vat_id_checked=customer.vat_id_checked_at is not None,
    )


def buyer_of(customer: Customer, profile: BillingProfile | None = None) -> dict[str, str]:
    """The customer as a billing.invoice_document.Party has it, today."""
    address = customer.billing_address
    party = {"name": customer.name, "email": customer.email, "vat_id": customer.vat_id}
    if profile:
        party |= {
            "company_number": profile.company_number,
            "peppol_id": profile.peppol_id,
            "reference": profile.buyer_reference,
        }
    if address is None:
        return {**party, "country": settings.SELLER["country"]}
    return {
        **party,
        "street": address.street,
        "street2": address.street2,
        "postal_code": address.postcode,
        "city": address.city,
        "region": address.region,
        "country": address.country,
    }


def language_of(customer: Customer, profile: BillingProfile | None) -> str:
    """The language in which the customer's invoices are written."""
    return (profile.language if profile else "") or customer.language


def breakdown_of(totals: Totals) -> list[dict[str, Any]]:
    """The VAT subtotals as the invoice keeps them."""
    return [{name: str(value) for name, value in asdict(part).items()} for part in totals.breakdown]


def _treatment(subscription: Subscription, context: BillingContext) -> VatTreatment:
    customer, is_real = subscription.customer, not subscription.order.is_sandbox
    if is_real and customer.billing_address is None:
        raise CannotBill(_("The customer has no address."))
    vat = vat_treatment(taxed_as(customer), seller_country=settings.SELLER["country"], rates=context.rates)
    lacks_rate = subscription.currency != EURO and subscription.currency not in context.euro
    if is_real and lacks_rate and vat.category != Category.OUTSIDE_SCOPE:
        message = _("There is no exchange rate for %(currency)s: VAT must be stated in euros.")
        raise CannotBill(message % {"currency": subscription.currency})
    return vat


def _price(subscription: Subscription, day: date, context: BillingContext) -> Decimal:
    changes = [change.price for change in context.prices.get(subscription.pk, ()) if change.effective_on <= day]
    return changes[-1] if changes else subscription.price


def _charge_line(charge: PendingCharge, currency: str, vat: VatTreatment) -> PricedLine:
    return PricedLine(
        description=charge.description,
        unit_price=charge.amount,
        currency=currency,
        vat=vat,
        period=BillingPeriod(charge.start, charge.end),
    )


def _group(part: DraftPart, context: BillingContext) -> tuple[Any, ...]:
    subscription = part.subscription
    profile = context.profiles.get(subscription.customer_id)
    alone = profile is not None and profile.grouping == BillingProfile.Grouping.ORDER
    return (
        subscription.customer_id,
        subscription.currency,
        subscription.order.is_sandbox,
        part.period if part.bills_period else None,
        subscription.order_id if alone else None,
    )


def _draft(parts: Iterable[DraftPart], context: BillingContext) -> InvoiceDraft:
    parts = tuple(parts)
    first, only = parts[0].subscription, len(parts) == 1
    customer, profile = first.customer, context.profiles.get(first.customer_id)
    totals = total([line for part in parts for line in part.lines], first.currency)
    days = profile.payment_days if profile and profile.payment_days is not None else settings.PAYMENT_DAYS
    exchange = context.euro.get(first.currency)
    language = language_of(customer, profile)
    with translation.override(language):
        breakdown = breakdown_of(totals)
    invoice = Invoice(
        customer=customer,
        order=first.order if only else None,
        subscription=first if only else None,
        period_start=min(part.period.start for part in parts),
        period_end=max(part.period.end for part in parts),
        issued_on=context.today,
        due_on=context.today + timedelta(days=days),
        language=language,
        currency=first.currency,
        seller=dict(settings.SELLER),
        buyer=buyer_of(customer, profile),
        payment=dict(settings.SELLER_ACCOUNT),
        net=totals.net,
        tax=totals.tax,
        gross=totals.gross,
        breakdown=breakdown,
        euro_rate=exchange.per_euro if exchange else None,
        euro_rate_on=exchange.published_on if exchange else None,
        tax_in_euro=in_euro(totals.tax, exchange.per_euro) if exchange else None,
        evidence=_evidence(customer, totals, context),
        is_specimen=first.order.is_sandbox,
    )
    if not invoice.gross:  # nothing to pay
        invoice.state, invoice.paid_on = Invoice.State.PAID, context.today
    return InvoiceDraft(invoice=invoice, parts=parts, totals=totals)


def _evidence(customer: Customer, totals: Totals, context: BillingContext) -> dict[str, Any]:
    """Kept where VAT is charged at the rate of another member state."""
    country = vat_country(taxed_as(customer).country)
    is_taxed = any(part.category == Category.STANDARD for part in totals.breakdown)
    if not is_taxed or country == vat_country(settings.SELLER["country"]):
        return {}
    return evidence_of(country, context.evidence.get(customer.pk, ()))
