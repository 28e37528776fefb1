"""Who owns each field of a customer that comes from WHMCS, and how WHMCS's values are read into ours.

Fields of WHMCS follow WHMCS. Fields that are taken once belong to Geocat Live from then on. All others (notes, billing
address, contacts, memberships, customer number) are never touched by a sync.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.iso_codes import COUNTRIES, currencies
from customers.models import Customer
from customers.vat_id import clean_vat_id
from customers.whmcs.client_record import ClientDetails

CUSTOMER_FIELDS = ("name", "kind", "email", "phone", "vat_id", "currency", "state")
ADDRESS_FIELDS = ("street", "street2", "postcode", "city", "region", "country")
ADDRESS_NEEDS = ("street", "city", "country")
OWNED_BY_WHMCS = (*CUSTOMER_FIELDS, *ADDRESS_FIELDS)
TAKEN_ONCE = ("language",)

LONGEST = {"name": 200, "email": 254, "phone": 40, "street": 200, "street2": 200, "postcode": 20, "city": 100}
STATES = {
    "active": Customer.State.ACTIVE,
    "inactive": Customer.State.INACTIVE,
    "closed": Customer.State.CLOSED,
}
LANGUAGES = {"english": "en", "dutch": "nl", "german": "de", "french": "fr", "spanish": "es", "italian": "it"}


def read_values(details: ClientDetails) -> tuple[dict[str, str], dict[str, str]]:
    """The fields that WHMCS owns as we store them, and the values that cannot be: field → what WHMCS has."""
    person = f"{details.first_name} {details.last_name}".strip()
    values = {
        "name": details.company or person or details.email,
        "kind": str(Customer.Kind.COMPANY if details.company else Customer.Kind.PERSON),
        "email": details.email,
        "phone": details.phone,
        "vat_id": details.tax_id,
        "currency": details.currency or "EUR",
        "state": str(STATES.get(details.status.lower(), "")),
        **{name: getattr(details, name) for name in ADDRESS_FIELDS},
    }
    for name in ADDRESS_NEEDS:
        if not values[name]:
            del values[name]  # an address without it could not be invoiced to: what we have stays
    refused: dict[str, str] = {}
    for name, value in list(values.items()):
        cleaned = _clean(name, value)
        if cleaned is None:
            refused[name] = value or (details.status if name == "state" else "")
            del values[name]
        else:
            values[name] = cleaned
    return values, refused


def language_of(details: ClientDetails, available: Mapping[str, object]) -> str:
    """The customer's first language; English where WHMCS has none that we speak."""
    code = LANGUAGES.get(details.language.split("-")[0], "en")
    return code if code in available else "en"


def _clean(name: str, value: str) -> str | None:
    """The value as it is stored; None when it cannot be."""
    if len(value) > LONGEST.get(name, 100):
        return None
    if name == "vat_id":
        try:
            return clean_vat_id(value)
        except ValueError:
            return None
    if name == "email":
        try:
            validate_email(value)
        except ValidationError:
            return None
    is_refused = (
        (name in ("name", "state") and not value)
        or (name == "currency" and value not in currencies())
        or (name == "country" and bool(value) and value not in COUNTRIES)
    )
    return None if is_refused else value
