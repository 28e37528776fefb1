"""Customers that a sync creates, many at once, and the search for those who are here already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower

from core.references import new_reference
from customers.models import Address, Customer, ExternalId, WhmcsClientRow
from customers.whmcs.field_owners import ADDRESS_FIELDS, ADDRESS_NEEDS, CUSTOMER_FIELDS

IS_ANOTHER = "another_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """A client of WHMCS that is no customer yet."""

    row: WhmcsClientRow
    values: Mapping[str, str]
    language: str
    refused: Mapping[str, str]

    @property
    def is_confirmed(self) -> bool:
        """True when staff decided that it is none of the customers that look like it."""
        return IS_ANOTHER in self.row.kept_here

    @property
    def has_address(self) -> bool:
        """True when its address is complete enough for an invoice."""
        return all(self.values.get(name) for name in ADDRESS_NEEDS)


def find_duplicates(new: Sequence[NewCustomer]) -> dict[int, Customer]:
    """Client id → the customer with the same e-mail address or VAT id, in one query."""
    if not new:
        return {}
    emails = {item.values["email"].lower() for item in new}
    vat_ids = {vat_id for item in new if (vat_id := item.values.get("vat_id"))}
    found = Customer.objects.annotate(lower_email=Lower("email")).filter(
        Q(lower_email__in=emails) | Q(vat_id__in=vat_ids)
    )
    by_email: dict[str, Customer] = {}
    by_vat_id: dict[str, Customer] = {}
    for customer in found:
        by_email[customer.email.lower()] = customer
        by_vat_id[customer.vat_id] = customer
    by_vat_id.pop("", None)
    matches = {
        item.row.client_id: by_email.get(item.values["email"].lower()) or by_vat_id.get(item.values.get("vat_id", ""))
        for item in new
    }
    return {client_id: customer for client_id, customer in matches.items() if customer is not None}


def create_customers(new: Sequence[NewCustomer], rows: list[WhmcsClientRow]) -> None:
    """The customers are there with their address and external id; their rows are added to `rows`."""
    if not new:
        return
    numbers = _new_numbers(len(new))
    customers = Customer.objects.bulk_create(
        Customer(
            number=number,
            language=item.language,
            **{name: item.values[name] for name in CUSTOMER_FIELDS if name in item.values},
        )
        for number, item in zip(numbers, new, strict=True)
    )
    Address.objects.bulk_create(
        Address(customer=customer, **{name: item.values.get(name, "") for name in ADDRESS_FIELDS})
        for customer, item in zip(customers, new, strict=True)
        if item.has_address
    )
    ExternalId.objects.bulk_create(
        ExternalId(customer=customer, system="whmcs", value=str(item.row.client_id))
        for customer, item in zip(customers, new, strict=True)
    )
    for customer, item in zip(customers, new, strict=True):
        item.row.customer = customer
        if not item.has_address:
            item.row.values = {name: value for name, value in item.values.items() if name not in ADDRESS_FIELDS}
        rows.append(item.row)


def _new_numbers(count: int) -> list[str]:
    """Customer numbers that nobody has, in one query as a rule."""
    numbers: set[str] = set()
    while len(numbers) < count:
        drawn = {new_reference("C", 5) for _number in range(count - len(numbers))}
        numbers |= drawn - set(Customer.objects.filter(number__in=drawn).values_list("number", flat=True))
    return sorted(numbers)
