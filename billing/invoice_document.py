"""What an invoice says, as values: its page and its PDF are made from this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller or buyer as they were on the day of issue.

    `country` is ISO 3166-1 alpha-2; `peppol_id` is scheme and number, such as `0106:12345678`; `reference` is what a
    buyer files the invoice under.
    """

    name: str
    attention: str = ""
    street: str = ""
    street2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str
    vat_id: str = ""
    company_number: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    peppol_id: str = ""
    reference: str = ""

    @property
    def address_lines(self) -> tuple[str, ...]:
        """The lines of the address between name and country, empty ones left out."""
        place = f"{self.postal_code}  {self.city}".strip()
        return tuple(line for line in (self.street, self.street2, place, self.region) if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One line as it is printed; `net` is quantity times unit price less the discount, rounded."""

    description: str
    detail: str = ""
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    vat_category: str
    vat_rate: Decimal
    period: BillingPeriod | None = None
    discount: Decimal = Decimal(0)
    discount_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """Where the money is wanted and what to quote."""

    iban: str = ""
    bic: str = ""
    account_holder: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedInvoice:
    """The invoice that a credit note corrects."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class VatInEuro:
    """The VAT of an invoice in another currency (VAT Directive, article 230); `rate` is units of it for one euro."""

    tax: Decimal
    rate: Decimal
    rate_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """One issued invoice or credit note, whole; `language` is the one it is written in.

    The amounts of a credit note are positive: its kind says in which direction the money goes.
    """

    number: str
    issued_on: date
    due_on: date
    currency: str
    language: str
    seller: Party
    buyer: Party
    lines: tuple[DocumentLine, ...]
    totals: Totals
    payment: PaymentTerms
    period: BillingPeriod | None = None
    order_reference: str = ""
    buyer_reference: str = ""
    notes: tuple[str, ...] = ()
    is_specimen: bool = False
    credits: CreditedInvoice | None = None
    vat_in_euro: VatInEuro | None = None

    @property
    def is_credit_note(self) -> bool:
        """Whether this corrects an earlier invoice."""
        return self.credits is not None

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """The rounded amounts that are stated: totals, lines, and VAT by rate."""
        totals = self.totals
        by_rate = (amount for part in totals.breakdown for amount in (part.taxable, part.tax))
        return (totals.net, totals.tax, totals.gross, *(line.net for line in self.lines), *by_rate)

    @property
    def is_payable(self) -> bool:
        """Whether the buyer is asked to transfer money."""
        return not self.is_credit_note and not self.is_specimen and self.totals.gross > 0

    @property
    def is_free(self) -> bool:
        """True of an invoice that asks for no money: a specimen, or one over nothing."""
        return not self.is_credit_note and not self.is_payable

    @property
    def supplied(self) -> BillingPeriod | None:
        """The whole time of supply: the invoice's own period and those of its lines."""
        periods = [period for period in (self.period, *(line.period for line in self.lines)) if period]
        if not periods:
            return None
        return BillingPeriod(min(period.start for period in periods), max(period.end for period in periods))

    @property
    def vat_notes(self) -> tuple[str, ...]:
        """The grounds for not charging VAT, each once."""
        return tuple(dict.fromkeys(str(part.note) for part in self.totals.breakdown if part.note))
