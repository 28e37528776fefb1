"""The rows of the simulated WHMCS, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

COMPANIES = ("Waterschap Rijn", "Gemeente Ede", "Provincie Gelderland", "Kadaster Test", "Stadtwerke Beispiel")


@dataclass(slots=True, kw_only=True)
class Records:
    """Clients, services, orders and invoices by id."""

    clients: dict[int, Row] = field(default_factory=dict)
    contacts: list[Row] = field(default_factory=list)
    services: dict[int, Row] = field(default_factory=dict)
    orders: dict[int, Row] = field(default_factory=dict)
    invoices: dict[int, Row] = field(default_factory=dict)
    payments: list[Row] = field(default_factory=list)

    def add_client(self, **values: Any) -> int:
        """The id of a new client."""
        client_id = max(self.clients, default=0) + 1
        self.clients[client_id] = example_client(client_id) | values
        return client_id

    def add_contact(self, client_id: int, **values: Any) -> None:
        """A further person of a client."""
        number = len(self.contacts) + 1
        contact = {"id": number, "userid": client_id, "firstname": "Bo", "lastname": f"Smit {number}"}
        self.contacts.append({**contact, "email": f"contact{number}@whmcs.example", "password": "hash", **values})

    def add_service(self, client_id: int, **values: Any) -> int:
        """The id of a new service of a client."""
        service_id = max(self.services, default=0) + 1
        self.services[service_id] = {
            "id": service_id,
            "clientid": client_id,
            "orderid": 0,
            "pid": 1,
            "regdate": "2026-01-01",
            "name": "Spatial data infrastructure",
            "domain": "",
            "dedicatedip": "",
            "billingcycle": "Monthly",
            "firstpaymentamount": "49.00",
            "recurringamount": "49.00",
            "nextduedate": "0000-00-00",
            "status": "Pending",
            "username": "",
            "password": "a-password-that-nobody-may-store",
            "notes": "",
            **values,
        }
        return service_id


def example_client(number: int) -> Row:
    """An invented client in the shape of the documented example."""
    company = f"{COMPANIES[number % len(COMPANIES)]} {number}" if number % 4 else ""
    return {
        "id": number,
        "firstname": "Anna",
        "lastname": f"Jansen {number}",
        "companyname": company,
        "email": f"client{number}@whmcs.example",
        "address1": f"Veenderweg {number}",
        "address2": "",
        "city": "Bennekom",
        "state": "Gelderland",
        "postcode": "6721 WD",
        "countrycode": "NL",
        "country": "NL",
        "phonenumber": "+31.318000000",
        "tax_id": "",
        "currency": 1,
        "currency_code": "EUR",
        "credit": "0.00",
        "groupid": 0,
        "datecreated": "2026-01-01",
        "status": "Active",
        "language": "english",
        "lastlogin": "No Login Logged",
        "password": "$2y$10$a-hash-that-nobody-may-store",
        "users": {"user": [{"id": number, "name": f"Anna Jansen {number}", "email": f"client{number}@whmcs.example"}]},
    }


def example_records(clients: int) -> Records:
    """So many invented clients."""
    return Records(clients={number: example_client(number) for number in range(1, clients + 1)})
