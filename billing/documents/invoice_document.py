"""What an invoice says, as values: its page and its PDF are made from this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller or buyer as they were on the day of issue; `country` is ISO 3166-1 alpha-2."""

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

    @property
    def address_lines(self) -> tuple[str, ...]:
        """The lines of the address between name and country, empty ones left out."""
        place = f"{self.postal_code}  {self.city}".strip()
        return tuple(line for line in (self.street, self.street2, place, self.region) if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One line as it is printed."""

    description: str
    detail: str = ""
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    vat_category: str
    vat_rate: Decimal
    period: BillingPeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """Where the money is wanted and what to quote."""

    iban: str = ""
    bic: str = ""
    account_holder: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """One issued invoice, whole; `language` is the one it is written in."""

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

    @property
    def vat_notes(self) -> tuple[str, ...]:
        """The grounds for not charging VAT, each once."""
        return tuple(dict.fromkeys(str(part.note) for part in self.totals.breakdown if part.note))
