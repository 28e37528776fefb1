"""What the rooms above show of one order on its page: they register, this room asks. Rows only, never the outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.urls import reverse

from orders.choices import Part
from orders.models import Order, OrderResource
from products.models import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """The row behind a part: what it is called, and how far its controller is."""

    part: Part
    name: str
    url: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of a plan; a problem is something that approval cannot bring about now, `url` is where it is solved."""

    label: str
    value: str
    is_problem: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPanel:
    """A part of the order's page, drawn by a template of the room that knows."""

    title: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


class OrderPanels:
    """What one room knows of an order; a subclass answers what it can and leaves the rest."""

    name: ClassVar[str]

    def part_rows(self, order: Order) -> Iterable[PartRow]:
        """The rows behind the order's parts."""
        return ()

    def panels(self, order: Order) -> Iterable[OrderPanel]:
        """What else the page shows."""
        return ()

    def plan(self, order: Order) -> Iterable[Fact]:
        """What this room would make of a draft."""
        return ()

    def price(self, order: Order) -> Iterable[Fact]:
        """What it would cost, of an order that need not be stored yet."""
        return ()

    def planned(self, order: Order, *, inside: bool) -> Mapping[str, Any]:
        """The same for programs, under names of this room's own; what is for staff only if `inside`."""
        return {}

    def would_destroy(self, order: Order) -> Iterable[str]:
        """What a removal takes away for good, a sentence each."""
        return ()

    def plan_change(self, order: Order, plan: Plan) -> Iterable[str]:
        """What another plan means for this room, a sentence each."""
        return ()

    def places(self) -> Iterable[tuple[str, str]]:
        """(slug, name) of the providers that an order may ask for."""
        return ()


_registered: dict[str, OrderPanels] = {}


def register_panels(panels: OrderPanels) -> None:
    """The room is asked from now on; registering it twice changes nothing."""
    _registered[panels.name] = panels


def registered_panels() -> list[OrderPanels]:
    """Every room that has something to show."""
    return list(_registered.values())


def part_row(part: Part, row: OrderResource, name: str = "") -> PartRow:
    """The line of a resource, linked to its page in the admin."""
    return PartRow(
        part=part,
        name=name or str(row._meta.verbose_name),
        url=reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,)),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        last_error=row.last_error,
    )
