"""The open conflicts of a page: new ones are listed, those that no longer hold are closed, the rest is left alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core import clock
from customers.models import Customer, WhmcsConflict
from customers.whmcs.comparison import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundConflict:
    """A conflict that a sync found."""

    client_id: int
    kind: str
    customer: Customer | None
    field: str
    here: str
    there: str


class ConflictList:
    """What is open for these clients, and what became of it during a sync."""

    def __init__(self, client_ids: Collection[int]) -> None:
        rows = WhmcsConflict.objects.filter(client_id__in=client_ids, resolved_at=None)
        self._open = {(row.client_id, row.kind, row.field): row for row in rows}
        self._settled: list[WhmcsConflict] = []
        self.new: list[FoundConflict] = []

    def replace(
        self,
        client_id: int,
        kind: WhmcsConflict.Kind,
        customer: Customer | None,
        found: Mapping[str, str],
        *,
        here: Mapping[str, str] | None = None,
    ) -> None:
        """The open conflicts of this kind are those `found`: field → value in WHMCS."""
        for key, row in list(self._open.items()):
            if key[:2] == (client_id, str(kind)) and (row.field not in found or row.there != found[row.field]):
                self._settled.append(self._open.pop(key))
        for name, there in found.items():
            if (client_id, str(kind), name) not in self._open:
                value = (here or {}).get(name, str(customer or ""))
                self.new.append(
                    FoundConflict(
                        client_id=client_id, kind=str(kind), customer=customer, field=name, here=value, there=there
                    )
                )

    def replace_differences(self, client_id: int, customer: Customer, differences: Sequence[Difference]) -> None:
        """The open differences of a customer are these."""
        found = {difference.field: difference.there for difference in differences}
        here = {difference.field: difference.here for difference in differences}
        self.replace(client_id, WhmcsConflict.Kind.CHANGED_HERE, customer, found, here=here)
        self.replace(client_id, WhmcsConflict.Kind.GONE, customer, {})

    def write(self) -> None:
        """The database holds them."""
        now = clock.now()
        if self._settled:
            pks = [row.pk for row in self._settled]
            WhmcsConflict.objects.filter(pk__in=pks).update(resolved_at=now, updated_at=now)
        WhmcsConflict.objects.bulk_create(
            WhmcsConflict(
                client_id=found.client_id,
                customer=found.customer,
                kind=found.kind,
                field=found.field,
                here=found.here,
                there=found.there,
            )
            for found in self.new
        )
