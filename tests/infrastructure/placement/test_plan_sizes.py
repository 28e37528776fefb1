"""Staff say which size the orders of a plan get at a provider; the others get the cheapest that fits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from infrastructure.models import PlanSize, Provider, ProviderOption, Server
from infrastructure.order_panel import InfrastructurePanels
from infrastructure.placement.places import find_place
from orders.models import Order
from tests.driving import Drive
from tests.factories import UserFactory
from tests.infrastructure.conftest import Place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offer(cloud: Provider) -> Provider:
    """A cloud with four sizes: too weak, the cheapest that fits, a better one, and one of another architecture."""
    for name, cpus, ram, price, architecture in (
        ("weak", 1, 1, "1", "amd64"),
        ("cheap", 2, 4, "4", "amd64"),
        ("fast", 4, 8, "9", "amd64"),
        ("arm", 4, 8, "3", "arm64"),
    ):
        ProviderOption.objects.create(
            provider=cloud,
            kind=ProviderOption.Kind.SIZE,
            outside_id=name,
            name=name.title(),
            cpus=cpus,
            ram_gb=Decimal(ram),
            disk_gb=100,
            price=Decimal(price),
            currency="EUR",
            architecture=architecture,
        )
    return cloud


@pytest.fixture
def order(offer: Provider, place: Place, drive: Drive) -> Order:
    return place("dedicated")


def mapped(order: Order, size: str) -> None:
    """Staff have said that orders of the plan get this size."""
    PlanSize.objects.create(provider=Provider.objects.get(), plan=order.plan, size_id=size)


def size_of(order: Order) -> str:
    size = find_place(order).size
    return size.outside_id if size else ""


def server_line(order: Order) -> str:
    return next(str(fact.value) for fact in InfrastructurePanels().plan(order) if fact.label == "Server")


def test_orders_of_the_plan_get_its_size_and_the_order_shows_that(order: Order, place: Place) -> None:
    assert size_of(order) == "cheap"
    assert "set for this plan" not in server_line(order)
    mapped(order, "fast")
    assert size_of(order) == "fast"
    assert server_line(order).startswith("Fast (set for this plan), ")
    assert size_of(place("dedicated", cpus=1, ram_gb=1)) == "weak"
    again = place("dedicated")
    assert Server.objects.get(order=again).size_id == "fast"
    assert Server.objects.get(order=order).size_id == "cheap"


def test_plan_says_before_approval_that_no_size_will_do(offer: Provider, place: Place) -> None:
    facts = {fact.label: str(fact.value) for fact in InfrastructurePanels().plan(place("dedicated", cpus=32))}
    assert (
        facts["Provider"] == "Cloud offers no size with 32 CPUs, 4 GB of memory and 40 GB of disk. "
        "Enable another provider, or change the plan."
    )
    assert "Server" not in facts


def test_the_size_of_a_plan_need_not_be_one_that_others_may_have(order: Order) -> None:
    Provider.objects.update(size_ids=["cheap"])
    mapped(order, "fast")
    assert size_of(order) == "fast"


@pytest.mark.parametrize("size", ["weak", "arm", "withdrawn"])
def test_a_size_that_does_not_do_any_more_is_passed_over(order: Order, size: str) -> None:
    mapped(order, size)
    assert size_of(order) == "cheap"


@pytest.fixture
def send(client: Client, order: Order, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sends the provider's form with a size for the order's plan."""
    for module in ("providers.connection", "providers.offers", "admin.provider"):
        monkeypatch.setattr(f"infrastructure.{module}.enqueue", lambda *args, **options: None)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    form = {
        "name": "Cloud",
        "is_enabled": "on",
        "rank": "10",
        "image": "debian-12",
        "architecture": "amd64",
        "create_options": "{}",
        "currency": "EUR",
        "priced_per": "month",
        "setting_key": "its key",
        "plan_sizes-TOTAL_FORMS": "1",
        "plan_sizes-INITIAL_FORMS": "0",
        "plan_sizes-0-plan": str(order.plan_id),
    }
    page = reverse("admin:infrastructure_provider_change", args=(Provider.objects.get().pk,))
    return lambda size: client.post(page, {**form, "plan_sizes-0-size_id": size})


def test_staff_give_a_plan_its_size(send: Any, order: Order) -> None:
    answer = send("fast")
    assert answer.status_code == 302, answer.content.decode()
    assert PlanSize.objects.get().size_id == "fast"
    assert size_of(order) == "fast"


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("weak", "Too small: the plan includes 2 CPUs, 4 GB of memory and 40 GB of disk."),
        ("arm", "This size is arm64; the provider requires amd64."),
        ("withdrawn", "Select a valid choice. withdrawn is not one of the available choices."),
    ],
)
def test_a_size_that_would_not_do_is_refused_at_its_field(send: Any, size: str, message: str) -> None:
    assert message in send(size).content.decode()
    assert not PlanSize.objects.exists()
