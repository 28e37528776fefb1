"""How staff see and steer products, releases and the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from core.engine.controller import work
from products.models import CatalogueSync, Plan, Product
from products.services import import_catalogue
from tests.factories import PlanFactory, ProductFactory, ReleaseFactory, UserFactory, make_draft
from tests.products.conftest import write_product

pytestmark = pytest.mark.django_db

LISTS = ("product", "plan", "release", "cataloguesync")


def enter(*permissions: str, **fields: Any) -> Client:
    """A member of staff with these permissions, signed in."""
    user = UserFactory.create(is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="products", codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def chief() -> Client:
    """Someone who may do everything."""
    return enter(is_superuser=True)


def list_url(name: str) -> str:
    """A list in the admin."""
    return reverse(f"admin:products_{name}_changelist")


def fill(count: int) -> None:
    """`count` more rows for each list."""
    for _number in range(count):
        product = ProductFactory.create(import_error="a\nb")
        product.present_release = ReleaseFactory.create(product=product)
        product.save()
        make_draft(release=product.present_release, plan=PlanFactory.create(product=product))
        CatalogueSync.objects.create(summary="maps: unchanged")


@pytest.mark.parametrize("name", LISTS)
def test_list_costs_the_same_queries_however_long(
    chief: Client, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for rows in (10, 50):
        fill(rows)
        with django_assert_max_num_queries(25) as captured:
            assert chief.get(list_url(name)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", LISTS)
def test_strangers_see_no_list(name: str) -> None:
    assert enter().get(list_url(name)).status_code == 403
    customers_person = Client()
    customers_person.force_login(UserFactory.create())
    assert customers_person.get(list_url(name)).status_code == 302
    assert Client().get(list_url(name)).status_code == 302


def test_button_only_requests_a_sync(chief: Client, catalogue: Path) -> None:
    url = reverse("admin:products_product_sync_catalogue")
    assert "A worker reads the catalogue" in chief.get(url).content.decode()
    assert not CatalogueSync.objects.exists()
    page = chief.post(url, {"confirmed": "yes"}, follow=True)
    assert "Catalogue sync requested" in page.content.decode()
    sync = CatalogueSync.objects.get()
    assert not Product.objects.exists()
    work("catalogue", [sync.pk])
    assert "maps: created" in chief.get(list_url("cataloguesync")).content.decode()


def test_reader_can_have_nothing_read_retired_or_trusted() -> None:
    product = ProductFactory.create()
    reader = enter("view_product", "change_product")
    url = reverse("admin:products_product_sync_catalogue")
    assert reader.post(url, {"confirmed": "yes"}).status_code == 403
    reader.post(list_url("product"), {"action": "retire", "_selected_action": [product.pk], "confirmed": "yes"})
    own = reverse("admin:products_product_change", args=(product.pk,))
    empty = {f"{section}-{part}_FORMS": "0" for section in ("plans", "releases") for part in ("TOTAL", "INITIAL")}
    reader.post(own, {"is_trusted": "on", "name": "Mine", **empty})
    product.refresh_from_db()
    assert (product.state, product.is_trusted, product.name) == (Product.State.ON_SALE, False, "Map server")
    truster = enter("view_product", "change_product", "trust_product")
    assert truster.post(own, {"is_trusted": "on", "name": "Mine", **empty}).status_code == 302
    product.refresh_from_db()
    assert (product.is_trusted, product.name) == (True, "Map server")


def test_products_are_retired_and_sold_after_confirmation(chief: Client) -> None:
    ready, empty = ReleaseFactory.create().product, ProductFactory.create()
    chosen = {"action": "retire", "_selected_action": [ready.pk, empty.pk]}
    assert "Existing orders keep running" in chief.post(list_url("product"), chosen).content.decode()
    assert Product.objects.on_sale().count() == 2
    chief.post(list_url("product"), {**chosen, "confirmed": "yes", "why": "Old"})
    assert not Product.objects.on_sale().exists()
    page = chief.post(list_url("product"), {**chosen, "action": "sell", "confirmed": "yes"}, follow=True)
    assert "has no release that can be ordered" in page.content.decode()
    assert list(Product.objects.on_sale()) == [ready]


def test_import_problems_are_shown_line_by_line(chief: Client, catalogue: Path) -> None:
    write_product(catalogue, "risky", compose="services: {gateway: {image: debian, privileged: true, pid: host}}")
    import_catalogue()
    page = chief.get(list_url("product"), {"refused": "yes"}).content.decode()
    assert "2 problems" in page
    assert "risky" in page
    assert ">maps<" not in page
    product = Product.objects.get(slug="risky")
    page = chief.get(reverse("admin:products_product_change", args=(product.pk,))).content.decode()
    assert "services.gateway.pid" in page


def test_release_shows_what_it_says_and_takes_no_change(chief: Client) -> None:
    release = ReleaseFactory.create()
    url = reverse("admin:products_release_change", args=(release.pk,))
    page = chief.get(url).content.decode()
    assert "application: Web Map Service" in page
    assert "debian:bookworm-slim" in page
    assert chief.post(url, {"version": "v9"}).status_code == 403
    assert chief.post(reverse("admin:products_release_delete", args=(release.pk,))).status_code == 403


def test_product_page_lists_plans_and_releases(chief: Client) -> None:
    plan = PlanFactory.create(product=ReleaseFactory.create(version="v1.2.3").product, state=Plan.State.RETIRED)
    page = chief.get(reverse("admin:products_product_change", args=(plan.product.pk,))).content.decode()
    for text in ("€49.00 / month", "v1.2.3", "Retired"):
        assert text in page
