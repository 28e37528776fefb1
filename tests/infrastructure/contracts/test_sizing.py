"""Which size and which host an order gets."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.contracts.cloud import Size, SizeOffer
from infrastructure.contracts.sizing import Room, Taken, cheapest, tightest

WISH = Size(cpus=2, ram_gb=4, disk_gb=40)


def offer(name: str, cpus: int | None, ram_gb: float, disk_gb: int, price: str = "") -> SizeOffer:
    return SizeOffer(
        outside_id=name,
        name=name,
        cpus=cpus,
        ram_gb=ram_gb,
        disk_gb=disk_gb,
        price=Decimal(price) if price else None,
    )


def test_the_cheapest_that_fits_is_chosen() -> None:
    offers = [offer("weak", 1, 4, 40, "1"), offer("dear", 8, 32, 400, "9"), offer("fit", 2, 4, 40, "4")]
    assert cheapest(offers, WISH) == offers[2]


def test_an_offer_without_a_price_comes_last() -> None:
    offers = [offer("unpriced", 2, 4, 40), offer("dear", 8, 32, 400, "9")]
    assert cheapest(offers, WISH) == offers[1]


def test_what_a_cloud_does_not_tell_is_taken_to_fit() -> None:
    assert cheapest([offer("volume", None, 4000 / 1024, 0, "1")], WISH) is not None


def test_nothing_fits() -> None:
    assert cheapest([offer("weak", 1, 4, 40, "1")], WISH) is None


def room(pk: int, *taken: Taken) -> Room:
    return Room(host_pk=pk, capacity=Size(cpus=4, ram_gb=8, disk_gb=100), taken=taken)


HALF = Taken(size=WISH, is_dedicated=False)


def test_the_fullest_host_with_room_is_filled_up() -> None:
    assert tightest([room(1), room(2, HALF)], WISH, dedicated=False) == room(2, HALF)


def test_a_full_host_takes_nothing() -> None:
    assert tightest([room(1, HALF, HALF)], WISH, dedicated=False) is None


def test_a_dedicated_order_wants_an_empty_host_and_leaves_nothing_of_it() -> None:
    assert tightest([room(1, HALF)], WISH, dedicated=True) is None
    alone = Taken(size=WISH, is_dedicated=True)
    assert tightest([room(1, alone)], WISH, dedicated=False) is None


sizes = st.builds(Size, cpus=st.integers(1, 6), ram_gb=st.integers(1, 12), disk_gb=st.integers(1, 120))


@given(st.lists(st.tuples(sizes, st.booleans()), max_size=20))
def test_no_sequence_of_orders_overfills_a_host(orders: list[tuple[Size, bool]]) -> None:
    rooms = {pk: room(pk) for pk in (1, 2)}
    for wish, dedicated in orders:
        if chosen := tightest(rooms.values(), wish, dedicated=dedicated):
            rooms[chosen.host_pk] = room(chosen.host_pk, *chosen.taken, Taken(size=wish, is_dedicated=dedicated))
    for item in rooms.values():
        assert sum(taken.size.cpus for taken in item.taken) <= 4
        assert sum(taken.size.ram_gb for taken in item.taken) <= 8
        assert sum(taken.size.disk_gb for taken in item.taken) <= 100
        assert len(item.taken) == 1 or not any(taken.is_dedicated for taken in item.taken)
