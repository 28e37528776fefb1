"""What the rooms above show of a customer on its page in the admin, and how they find customers: they register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise

from customers.models import Customer, User


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPanel:
    """A part of the customer's page, drawn by a template of the room that knows."""

    title: str | Promise
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


Panel = Callable[[Customer, User], CustomerPanel | None]
Search = Callable[[str], QuerySet[Any]]
_panels: dict[str, Panel] = {}
_searches: dict[str, Search] = {}


def register_customer_panel(name: str, panel: Panel) -> None:
    """`panel` is asked for each page; it returns None when the viewer may not see it. Rows only, never the outside."""
    _panels[name] = panel


def register_customer_search(name: str, search: Search) -> None:
    """`search` returns the primary keys of the customers that a text names, as a queryset of values."""
    _searches[name] = search


def panels_of(customer: Customer, viewer: User) -> list[CustomerPanel]:
    """The panels of all rooms, in the sequence in which they were registered."""
    return [panel for ask in _panels.values() if (panel := ask(customer, viewer)) is not None]


def found_elsewhere(text: str) -> Q:
    """Customers that another room finds by `text`: an order's reference, a domain, an address."""
    condition = Q()
    for search in _searches.values():
        condition |= Q(pk__in=search(text))
    return condition
