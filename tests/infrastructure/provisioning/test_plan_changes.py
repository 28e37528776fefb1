"""A server follows its order's plan: room on a host, a resize at a provider, or a refusal that goes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infrastructure.contracts.cloud import Power, Powers
from infrastructure.models import Host, Provider, ProviderOption, Server, ServerAction
from infrastructure.placement.places import NoRoom
from infrastructure.provisioning.plan_changes import NoResize, check_room, follow_plan, is_to_follow_plan, size_for
from infrastructure.provisioning.server_outcomes import resize_outcome
from orders.choices import ChangeKind, ChangeState
from orders.models import Order, OrderChange
from products.models import Plan
from tests.factories import PlanFactory, make_draft
from tests.infrastructure.conftest import MakeHost

pytestmark = pytest.mark.django_db


def plan_of(order: Order, **size: Any) -> Plan:
    """Another plan of the order's product."""
    fields = {"cpus": 4, "ram_gb": 8, "disk_gb": 80, "placement": order.plan.placement, **size}
    plan: Plan = PlanFactory.create(product=order.plan.product, slug="other", **fields)
    return plan


def server_on(provider: Provider, *, host: Host | None = None, placement: str = "shared", size: str = "") -> Server:
    """A server of 2 CPUs, 4 GB and 40 GB."""
    fields = {"cpus": 2, "ram_gb": 4, "disk_gb": 40}
    order = make_draft(plan_fields={**fields, "placement": placement})
    more = {"host": host, "placement": placement, "size": size, "outside_id": "n-1"}
    return Server.objects.create(order=order, provider=provider, **more, **fields)


def offer(provider: Provider, name: str, *, cpus: int, ram: int, disk: int, price: str | None) -> None:
    ProviderOption.objects.create(
        provider=provider,
        kind=ProviderOption.Kind.SIZE,
        outside_id=name,
        name=name,
        cpus=cpus,
        ram_gb=Decimal(ram),
        disk_gb=disk,
        price=None if price is None else Decimal(price),
        currency="EUR",
    )


@pytest.fixture
def resizing(cloud: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A cloud with three sizes that can resize servers."""
    offer(cloud, "s", cpus=1, ram=2, disk=20, price="5")
    offer(cloud, "m", cpus=2, ram=4, disk=40, price="10")
    offer(cloud, "l", cpus=4, ram=8, disk=80, price="20")
    powers = Powers(verbs=frozenset({Power.RESIZE, Power.START, Power.STOP}))
    for room in ("provisioning.plan_changes", "server_actions.services"):
        monkeypatch.setattr(f"infrastructure.{room}.powers_over", lambda server: powers)
    return cloud


def test_more_of_a_host_is_taken_where_there_is_room(pool: Provider, make_host: MakeHost) -> None:
    server = server_on(pool, host=make_host(cpus=4, ram_gb=8, disk_gb=100))
    order = server.order
    order.plan = plan_of(order)
    follow_plan(order)
    server.refresh_from_db()
    assert (server.cpus, server.ram_gb, server.disk_gb) == (4, 8, 80)
    assert not ServerAction.objects.exists()


def test_a_host_whose_room_others_take_refuses(pool: Provider, make_host: MakeHost) -> None:
    host = make_host(cpus=4, ram_gb=8, disk_gb=100)
    server = server_on(pool, host=host)
    server_on(pool, host=host)
    order = server.order
    order.plan = plan_of(order)
    with pytest.raises(NoRoom) as refusal:
        follow_plan(order)
    assert "has no room for 4 CPUs, 8 GB of memory and 80 GB of disk" in refusal.value.message
    assert Server.objects.get(pk=server.pk).ram_gb == 4


def test_an_order_that_has_a_host_to_itself_may_use_all_of_it(pool: Provider, make_host: MakeHost) -> None:
    host = make_host(cpus=4, ram_gb=8, disk_gb=100)
    server = server_on(pool, host=host, placement="dedicated")
    plan = plan_of(server.order)
    check_room(server, host, server.wish)
    order = server.order
    order.plan = plan
    follow_plan(order)
    assert Server.objects.get(pk=server.pk).cpus == 4


def test_a_larger_plan_resizes_the_server(resizing: Provider) -> None:
    server = server_on(resizing, placement="dedicated", size="m")
    order = server.order
    order.plan = plan_of(order)
    follow_plan(order)
    resize = ServerAction.objects.get()
    assert (resize.verb, resize.size_id) == (ServerAction.Verb.RESIZE, "l")
    assert "changes to plan" in resize.reason


def test_a_smaller_plan_keeps_a_disk_that_cannot_shrink(resizing: Provider) -> None:
    server = server_on(resizing, placement="dedicated", size="l")
    small = plan_of(server.order, cpus=1, ram_gb=2, disk_gb=20)
    assert size_for(server, small) is None
    offer(resizing, "cheap", cpus=1, ram=2, disk=80, price="4")
    size = size_for(server, small)
    assert size is not None
    assert size.outside_id == "cheap"


def test_a_provider_that_cannot_resize_refuses_what_is_larger_and_keeps_what_suffices(
    resizing: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.provisioning.plan_changes.powers_over", lambda server: Powers())
    server = server_on(resizing, placement="dedicated", size="m")
    with pytest.raises(NoResize) as refusal:
        size_for(server, plan_of(server.order))
    assert refusal.value.message.startswith("Servers of Cloud cannot be resized. Place a new order")
    small = PlanFactory.create(product=server.order.plan.product, slug="tiny", cpus=1, ram_gb=2, disk_gb=20)
    assert size_for(server, small) is None


def test_a_size_that_nobody_offers_is_refused(resizing: Provider) -> None:
    server = server_on(resizing, placement="dedicated", size="m")
    with pytest.raises(NoResize) as refusal:
        size_for(server, plan_of(server.order, cpus=64, ram_gb=512, disk_gb=80))
    assert "offers no size that fits" in refusal.value.message


def test_where_sizes_are_unknown_nothing_is_resized(cloud: Provider) -> None:
    server = server_on(cloud, placement="dedicated")
    assert size_for(server, plan_of(server.order)) is None


def test_the_order_waits_for_the_resize_and_fails_with_it(resizing: Provider) -> None:
    server = server_on(resizing, placement="dedicated", size="m")
    Order.objects.filter(pk=server.order_id).update(is_changing=True)
    order = Order.objects.get(pk=server.order_id)
    order.plan = plan_of(order)
    follow_plan(order)
    server = Server.objects.get(pk=server.pk)
    waiting = resize_outcome(server)
    assert waiting is not None
    assert waiting.message == "The server is being resized."
    ServerAction.objects.update(failed_version=1, last_error="quota exceeded")
    failed = resize_outcome(server)
    assert failed is not None
    assert failed.message == "The server could not be resized: quota exceeded"
    ServerAction.objects.update(failed_version=0, done_version=1)
    assert resize_outcome(server) is None


def test_going_back_settles_the_resize_that_failed(resizing: Provider) -> None:
    server = server_on(resizing, placement="dedicated", size="m")
    order, former = server.order, server.order.plan
    order.plan = plan_of(order)
    follow_plan(order)
    ServerAction.objects.update(failed_version=1, last_error="quota exceeded", next_attempt_at=None)
    order = Order.objects.get(pk=order.pk)
    order.plan = former
    follow_plan(order)
    assert not ServerAction.objects.failed().exists()
    assert Server.objects.get(pk=server.pk).ram_gb == 4


def test_a_plan_of_the_same_size_touches_nothing(pool: Provider, make_host: MakeHost) -> None:
    server = server_on(pool, host=make_host())
    before = server.updated_at
    follow_plan(server.order)
    assert Server.objects.get(pk=server.pk).updated_at == before


@pytest.mark.parametrize(
    ("kind", "state", "follows"),
    [
        (ChangeKind.PLAN, ChangeState.APPLYING, True),
        (ChangeKind.PLAN, ChangeState.REVERTING, True),
        (ChangeKind.PLAN, ChangeState.FAILED, True),
        (ChangeKind.PLAN, ChangeState.APPLIED, False),
        (ChangeKind.PLAN, ChangeState.REVERTED, False),
        (ChangeKind.UPGRADE, ChangeState.APPLYING, False),
    ],
)
def test_only_a_change_of_plan_that_is_not_over_touches_the_server(
    pool: Provider, kind: ChangeKind, state: ChangeState, follows: bool
) -> None:
    order = server_on(pool).order
    assert not is_to_follow_plan(order)
    same = {"from_release": order.release, "to_release": order.release}
    OrderChange.objects.create(order=order, kind=kind, state=state, from_plan=order.plan, to_plan=order.plan, **same)
    assert is_to_follow_plan(order) is follows
