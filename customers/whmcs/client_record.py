"""A client of WHMCS as its API and its hooks describe it. Pure values."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypedDict

from core.text.plain_text import clean_text
from customers.whmcs.parsing import read_id, read_list, read_text

_ID_KEYS = ("client_id", "userid", "id", "clientid")
EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;.]+")
LONGEST = 150
MOST_PEOPLE = 200  # of one client


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


class ClientPerson(TypedDict):
    """Somebody who signs in for a client in WHMCS, or gets its mail; no member here unless staff invite them."""

    name: str
    email: str
    is_contact: bool


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
    users: tuple[ClientPerson, ...] | None = None
    """None where the answer does not list them, as that of the module."""
    contacts: tuple[ClientPerson, ...] | None = None
    """None where they were not asked for."""

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
            users=read_people(read_list(item, "users", "user"), are_contacts=False) if "users" in item else None,
        )


def read_people(items: Iterable[Mapping[str, Any]], *, are_contacts: bool) -> tuple[ClientPerson, ...]:
    """The people with an e-mail address, each address once."""
    found: dict[str, ClientPerson] = {}
    for item in items:
        email = _text(item, "email").lower()
        name = _text(item, "name") or f"{_text(item, 'firstname')} {_text(item, 'lastname')}".strip()
        if EMAIL.fullmatch(email) and len(email) <= LONGEST:
            found.setdefault(email, ClientPerson(name=name[:LONGEST], email=email, is_contact=are_contacts))
    return tuple(found.values())[:MOST_PEOPLE]


def people_of(details: ClientDetails | None, *, former: Sequence[ClientPerson]) -> list[ClientPerson]:
    """The users and contacts of a client; what was not read stays as it was."""
    users = [person for person in former if not person["is_contact"]]
    contacts = [person for person in former if person["is_contact"]]
    if details is not None:
        users = users if details.users is None else list(details.users)
        contacts = contacts if details.contacts is None else list(details.contacts)
    addresses = {person["email"] for person in users}
    return [*users, *(person for person in contacts if person["email"] not in addresses)]


def _id_of(item: Mapping[str, Any]) -> int | None:
    return next((number for key in _ID_KEYS if (number := read_id(item.get(key))) is not None), None)


def _text(item: Mapping[str, Any], *keys: str) -> str:
    """The first of the keys that holds text. WHMCS stores what people type with HTML entities."""
    return next((clean_text(html.unescape(text)) for key in keys if (text := read_text(item.get(key)))), "")
