"""A client of WHMCS as its API and its hooks describe it. Pure values."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from core.text.plain_text import clean_text
from customers.whmcs.parsing import read_id, read_text

_ID_KEYS = ("client_id", "userid", "id", "clientid")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSummary:
    """What the list of clients says of one."""

    client_id: int
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    status: str = ""
    group_id: str = ""

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self | None:
        """The summary; None for an item without an id."""
        client_id = _id_of(item)
        if client_id is None:
            return None
        return cls(
            client_id=client_id,
            first_name=_text(item, "firstname"),
            last_name=_text(item, "lastname"),
            company=_text(item, "companyname"),
            email=_text(item, "email"),
            status=_text(item, "status"),
            group_id=_text(item, "groupid"),
        )

    @property
    def digest(self) -> str:
        """Changes when anything in the summary does."""
        text = "\0".join(str(getattr(self, field.name)) for field in fields(self))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDetails:
    """Everything of a client that matters here; passwords, notes and last log-ins are not read."""

    client_id: int
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    tax_id: str = ""
    currency: str = ""
    language: str = ""
    status: str = ""

    @classmethod
    def read(cls, item: Mapping[str, Any], *, expected_id: int | None = None) -> Self | None:
        """The details; None where they have no id, or another client's."""
        client_id = _id_of(item)
        if client_id is None or expected_id not in (None, client_id):
            return None
        return cls(
            client_id=client_id,
            first_name=_text(item, "firstname"),
            last_name=_text(item, "lastname"),
            company=_text(item, "companyname"),
            email=_text(item, "email"),
            phone=_text(item, "phonenumberformatted", "telephoneNumber", "phonenumber"),
            street=_text(item, "address1"),
            street2=_text(item, "address2"),
            city=_text(item, "city"),
            region=_text(item, "fullstate", "state"),
            postcode=_text(item, "postcode"),
            country=_text(item, "countrycode", "country").upper(),
            tax_id=_text(item, "tax_id"),
            currency=_text(item, "currency_code").upper(),
            language=_text(item, "language").lower(),
            status=_text(item, "status"),
        )


def _id_of(item: Mapping[str, Any]) -> int | None:
    return next((number for key in _ID_KEYS if (number := read_id(item.get(key))) is not None), None)


def _text(item: Mapping[str, Any], *keys: str) -> str:
    """The first of the keys that holds text. WHMCS stores what people type with HTML entities."""
    return next((clean_text(html.unescape(text)) for key in keys if (text := read_text(item.get(key)))), "")
