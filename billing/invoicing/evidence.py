"""Where a consumer is established: two pieces of evidence that do not contradict each other (282/2011, 24b and 24f)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

WANTED = 2


def evidence_of(country: str, found: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The billing address and what else points to `country`; says whether that is enough."""
    pieces = {"address": country, **{kind: other for kind, other in found if other == country}}
    return {"country": country, "pieces": pieces, "is_enough": len(pieces) >= WANTED}


def country_of_iban(iban: str) -> str:
    """The country of a bank account."""
    return iban.replace(" ", "")[:2].upper()


def all_evidence(rows: Iterable[tuple[int, str, str]], accounts: Mapping[int, str]) -> dict[int, list[tuple[str, str]]]:
    """What is known of each customer: rows of (customer, kind, country), and the IBAN of a mandate."""
    found: dict[int, list[tuple[str, str]]] = {
        customer: [("mandate", country_of_iban(iban))] for customer, iban in accounts.items()
    }
    for customer, kind, country in rows:
        found.setdefault(customer, []).append((kind, country.upper()))
    return found
