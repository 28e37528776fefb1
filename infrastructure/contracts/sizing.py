"""Chooses the size or the host of an order. Pure values, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from infrastructure.contracts.cloud import Size, SizeOffer


def cheapest(offers: Iterable[SizeOffer], wish: Size) -> SizeOffer | None:
    """The cheapest offer that fits; offers without a price come last, the smallest first."""
    return min((offer for offer in offers if fits(offer, wish)), key=_cost, default=None)


def fits(offer: SizeOffer, wish: Size) -> bool:
    """True when the offer is at least as large as the wish, as far as its values are known."""
    # Clouds define a gigabyte as 1000 or 1024 megabytes; 0 of disk means a volume of any size.
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
    """The capacity that one order uses on a host."""

    size: Size
    is_dedicated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A host's declared capacity, and what is taken of it."""

    host_pk: int
    capacity: Size
    taken: tuple[Taken, ...] = ()

    @property
    def free(self) -> Size:
        """The free capacity; none if one order has the host to itself, and never negative."""
        if any(order.is_dedicated for order in self.taken):
            return Size(cpus=0, ram_gb=0, disk_gb=0)
        return Size(
            cpus=max(0, self.capacity.cpus - sum(order.size.cpus for order in self.taken)),
            ram_gb=max(0, self.capacity.ram_gb - sum(order.size.ram_gb for order in self.taken)),
            disk_gb=max(0, self.capacity.disk_gb - sum(order.size.disk_gb for order in self.taken)),
        )

    def takes(self, wish: Size, *, dedicated: bool) -> bool:
        """True when the wish fits the free capacity, and the host is empty if that is required."""
        free = self.free
        has_room = wish.cpus <= free.cpus and wish.ram_gb <= free.ram_gb and wish.disk_gb <= free.disk_gb
        return has_room and not (dedicated and self.taken)


def tightest(rooms: Iterable[Room], wish: Size, *, dedicated: bool) -> Room | None:
    """The fitting host with the least free capacity, so that large orders find room later."""
    return min((room for room in rooms if room.takes(wish, dedicated=dedicated)), key=_left, default=None)


def _left(room: Room) -> tuple[int, int, int, int]:
    return (room.free.ram_gb, room.free.cpus, room.free.disk_gb, room.host_pk)
