"""Which size, and which host, an order gets. Pure values, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from infrastructure.contracts.cloud import Size, SizeOffer


def cheapest(offers: Iterable[SizeOffer], wish: Size) -> SizeOffer | None:
    """The cheapest offer that has what is wished; those without a price come last, the smallest first."""
    return min((one for one in offers if fits(one, wish)), key=_cost, default=None)


def fits(offer: SizeOffer, wish: Size) -> bool:
    """True when the offer has at least what is wished, as far as its cloud tells."""
    # Clouds count a gigabyte as 1000 or 1024 megabytes; 0 of disk means a volume of any size.
    has_ram = round(offer.ram_gb * 1.024, 2) >= wish.ram_gb
    has_disk = not offer.disk_gb or offer.disk_gb >= wish.disk_gb
    return has_ram and has_disk and (offer.cpus is None or offer.cpus >= wish.cpus)


def suits(offer: SizeOffer, architecture: str) -> bool:
    """True unless the offer is known to be of another architecture."""
    return not (architecture and offer.architecture) or offer.architecture == architecture


def _cost(offer: SizeOffer) -> tuple[bool, Decimal, float, int, str]:
    price = offer.price or Decimal(0)
    return (not price, price, offer.ram_gb, offer.disk_gb, offer.outside_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one order has taken of a host."""

    size: Size
    is_dedicated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A host as far as capacity goes: what is declared of it and what stands on it."""

    host_pk: int
    capacity: Size
    taken: tuple[Taken, ...] = ()

    @property
    def free(self) -> Size:
        """What is left; nothing when one order has the whole host, and never less than nothing."""
        if any(one.is_dedicated for one in self.taken):
            return Size(cpus=0, ram_gb=0, disk_gb=0)
        return Size(
            cpus=max(0, self.capacity.cpus - sum(one.size.cpus for one in self.taken)),
            ram_gb=max(0, self.capacity.ram_gb - sum(one.size.ram_gb for one in self.taken)),
            disk_gb=max(0, self.capacity.disk_gb - sum(one.size.disk_gb for one in self.taken)),
        )

    def takes(self, wish: Size, *, dedicated: bool) -> bool:
        """True when the wish fits in what is left, and the host is empty if it has to be."""
        free = self.free
        has_room = wish.cpus <= free.cpus and wish.ram_gb <= free.ram_gb and wish.disk_gb <= free.disk_gb
        return has_room and not (dedicated and self.taken)


def tightest(rooms: Iterable[Room], wish: Size, *, dedicated: bool) -> Room | None:
    """The room that takes the wish and has the least left, so that large orders find room later."""
    return min((room for room in rooms if room.takes(wish, dedicated=dedicated)), key=_left, default=None)


def _left(room: Room) -> tuple[int, int, int, int]:
    return (room.free.ram_gb, room.free.cpus, room.free.disk_gb, room.host_pk)
