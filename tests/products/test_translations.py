"""What customers read of a product is in their language, where the manifest has it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from customers.models import Membership
from orders.models import Order
from products.models import Product, Release
from products.offering import present_release
from products.services import import_catalogue
from tests.factories import UserFactory, make_draft

pytestmark = pytest.mark.django_db

CHOICE = {"key": "size", "label": "Size", "type": "choice", "choices": [{"value": "s", "label": "Small"}]}
TITLE = {"key": "title", "label": "Title", "help": "Heads the page.", "type": "string"}
MANIFEST: dict[str, Any] = {
    "inputs": [TITLE, CHOICE],
    "secrets": [{"key": "password", "label": "Password", "visible": True}],
    "endpoints": [{"name": "wms", "application": "Map"}],
    "translations": {
        "nl": {
            "inputs": {"title": {"label": "Titel"}, "size": {"choices": {"s": "Klein"}}},
            "secrets": {"password": "Wachtwoord"},
            "endpoints": {"wms": "Kaart"},
        }
    },
}


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        ("nl", ["Titel", "Size", "Wachtwoord", "Kaart", "Klein"]),
        ("nl-be", ["Titel", "Size", "Wachtwoord", "Kaart", "Klein"]),
        ("en", ["Title", "Size", "Password", "Map", "Small"]),
        ("de", ["Title", "Size", "Password", "Map", "Small"]),
    ],
)
def test_labels_are_in_the_readers_language_where_there_are_any(language: str, labels: list[str]) -> None:
    release = Release(manifest=MANIFEST)
    with translation.override(language):
        (title, size), (secret,) = release.localised("inputs"), release.localised("secrets")
        (endpoint,) = release.localised("endpoints")
    assert [
        title["label"],
        size["label"],
        secret["label"],
        endpoint["application"],
        size["choices"][0]["label"],
    ] == labels
    assert (title["help"], size["choices"][0]["value"]) == ("Heads the page.", "s")
    assert release.inputs == MANIFEST["inputs"]


def test_release_of_before_there_were_translations_is_shown_as_written() -> None:
    with translation.override("nl"):
        assert Release(manifest={"inputs": [TITLE]}).localised("inputs") == [TITLE]


@pytest.fixture
def sample(settings: Settings) -> Product:
    """A product of the sample catalogue, imported."""
    settings.CATALOGUE_URL = str(settings.BASE_DIR / "catalogue")
    import_catalogue()
    return Product.objects.get(slug="sdi-lite")


def test_sample_products_are_in_dutch_as_a_whole(sample: Product) -> None:
    for product in Product.objects.all():
        assert product.present_release is not None
        manifest = product.present_release.manifest
        texts = manifest["translations"]["nl"]
        assert texts.keys() >= {"summary", "description"}
        asked = {spec["key"] for spec in manifest["inputs"] if not spec.get("staff")}
        assert texts["inputs"].keys() == asked
        assert texts["secrets"].keys() == {spec["key"] for spec in manifest["secrets"]}
        assert texts["plans"].keys() == {spec["slug"] for spec in manifest["plans"]}


def test_portal_shows_products_plans_and_inputs_in_dutch(sample: Product) -> None:
    order: Order = make_draft()
    user = UserFactory(language="nl")
    Membership.objects.create(user=user, customer=order.customer, role=Membership.Role.OWNER)
    client = Client()
    client.force_login(user)
    assert "Kaarten, data en een catalogus" in client.get("/orders/new/").content.decode()
    plans = client.get("/orders/new/sdi-lite/").content.decode()
    assert "Een complete geo-data-infrastructuur" in plans
    assert "Kies Klein" in plans
    form = client.get("/orders/new/sdi-lite/small/").content.decode()
    assert "Titel" in form
    assert "Zichtbaar voor de gebruikers" in form


def test_staff_and_integrations_read_what_the_manifest_says_first(sample: Product) -> None:
    staff = Client()
    staff.force_login(UserFactory(is_staff=True, is_superuser=True, language="nl"))
    body = staff.get("/api/v1/products/sdi-lite/").json()
    assert body["summary"] == sample.summary
    assert sample.summary.startswith("Maps, data")


def test_translation_that_is_taken_out_of_the_manifest_is_gone(sample: Product) -> None:
    release = sample.present_release
    assert release is not None
    release.manifest = {name: value for name, value in release.manifest.items() if name != "translations"}
    present_release(sample, release)
    with translation.override("nl"):
        assert sample.local_summary == sample.summary
        assert {plan.local_name for plan in sample.plans.all()} == {"Small", "Standard"}
