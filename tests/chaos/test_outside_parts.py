"""GitLab and WHMCS of the chaos runs: all is well at the end of a calm run, and what is not is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from core.errors import Refusal
from customers.models import Customer
from customers.whmcs.services import customer_of_client
from customers.whmcs.simulator.records import example_client
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from orders.choices import OrderAction
from orders.models import Order, WhmcsService
from products.catalogue import default_config_repo
from products.models import Product, Release, ReleaseBundle
from products.services import import_catalogue
from tests.chaos.lives import orders_of
from tests.chaos.outside import gitlab, whmcs
from tests.chaos.outside.gitlab import SHORT_LIVED, GitLab
from tests.chaos.outside.whmcs import Module, ServiceLife, Whmcs
from tests.chaos.plan import PlannedLife
from tests.driving import Drive
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("socket_enabled")]


@pytest.fixture
def config_repo(tmp_path: Path, settings: Settings) -> Iterator[GitLab]:
    """The config-repo, which is the one of the settings."""
    with gitlab.on_stage(tmp_path) as part:
        for name, value in part.settings.items():
            setattr(settings, name, value)
        part.set_up()
        yield part


@pytest.fixture
def billing(
    tmp_path: Path, settings: Settings, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Whmcs]:
    """WHMCS, which is the one of the settings, and this site, which its module calls."""
    # The threads of a live server share one connection to SQLite.
    monkeypatch.setattr(whmcs, "AT_ONCE", 1)
    settings.SITE_URL = live_server.url
    with whmcs.on_stage(tmp_path) as part:
        for name, value in part.settings.items():
            setattr(settings, name, value)
        part.set_up()
        yield part


def sold(part: Whmcs, *verbs: OrderAction) -> ServiceLife:
    """An order that WHMCS has sold, of which these things are asked; the part's orders are drawn from five."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX, rank=1)
    SandboxSwitches.objects.create(provider=provider)
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    plan, customer = PlanFactory(product=release.product, auto_approve=True), CustomerFactory()
    fields: list[dict[str, Any]] = [
        {"release": release, "plan": plan, "customer": customer, "name": f"maps {number}", "sandbox": True}
        for number in range(5)
    ]
    part.cast(fields)
    (own,) = (order_fields for order_fields in fields if "life" in order_fields)
    life = own.pop("life")(PlannedLife(placed_at=0, verbs=[(verb, False) for verb in verbs]), [release], own)
    assert isinstance(life, ServiceLife)
    return life


def test_what_was_pushed_and_synced_is_as_it_has_to_be(config_repo: GitLab) -> None:
    for number in range(1, 6):
        config_repo.push(number)
        import_catalogue(is_full=number == 4)
    assert Product.objects.get(slug=SHORT_LIVED).state == Product.State.RETIRED
    assert list(config_repo.problems()) == []


def test_each_fault_of_a_sync_is_named(config_repo: GitLab) -> None:
    config_repo.push(1)
    assert len(list(config_repo.problems())) > len(gitlab.SLUGS)
    import_catalogue()
    first, *_others = Release.objects.filter(product__slug="atlas").order_by("pk")
    Product.objects.filter(slug="atlas").update(state=Product.State.RETIRED)
    Product.objects.filter(slug="bridge").update(present_release=None)
    ReleaseFactory(product=first.product)
    found = "\n".join(config_repo.problems())
    assert "the product atlas is retired and not on_sale" in found
    assert "the product bridge is not there" in found
    assert "of atlas were never pushed" in found


def test_webhook_calls_twice(config_repo: GitLab, settings: Settings) -> None:
    hooks = config_repo.double.hooks
    assert [hook["url"].removeprefix(settings.SITE_URL) for hook in hooks] == [
        reverse("catalogue_hooks:gitlab", args=(default_config_repo().uuid,))
    ] * 2


def test_service_is_one_order_and_whmcs_shows_how_it_is(billing: Whmcs, drive: Drive) -> None:
    life = sold(billing, OrderAction.SUSPEND, OrderAction.REMOVE)
    for seconds in range(6):
        life.live_on(float(seconds), Counter(), orders_of([life]).get(life.pk))
        drive.settle(seconds=120)
    assert life.is_over(orders_of([life])[life.pk])
    for client_id in (2, 3):
        customer_of_client({**example_client(client_id), "userid": client_id})
    assert list(billing.problems()) == []
    Order.objects.update(state="active")
    Customer.objects.filter(external_ids__value="2").update(name="Somebody")
    found = "\n".join(billing.problems())
    assert "WHMCS service 1 is Terminated at" in found
    assert "client 2 is" in found


def test_module_hears_why_the_site_refuses(billing: Whmcs, live_server: LiveServer) -> None:
    module = Module(live_server.url)
    module.token = "wrong"
    with pytest.raises(Refusal, match="token"):
        module.call("", 7, {"service_id": 7})
    assert not WhmcsService.objects.exists()
