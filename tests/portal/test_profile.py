"""A person's own page, and the customer's."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as project
from django.utils import timezone

from customers.models import Customer, User
from customers.models.people import time_zone_choices
from customers.services import register_customer
from live.portal.localisation import languages_on_offer, zone_of
from tests.factories import MembershipFactory
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_a_profile_is_changed(owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.post("/profile/", {"first_name": "Olga", "last_name": "de Vries", "time_zone": "Asia/Tokyo"})
    owner.refresh_from_db()
    assert (str(owner), owner.time_zone) == ("Olga de Vries", "Asia/Tokyo")
    wrong = client.post("/profile/", {"first_name": "Olga", "time_zone": "Mars/Olympus"})
    assert wrong.status_code == 422
    assert timezone.get_current_timezone_name() == project.TIME_ZONE


def test_an_unknown_zone_falls_back_to_the_companys() -> None:
    assert zone_of("Nowhere/Land").key == zone_of("").key == project.TIME_ZONE


def test_zones_are_offered_by_region_and_once(owner: User, sign_in: SignIn) -> None:
    regions = dict(time_zone_choices())
    assert ("Europe/Amsterdam", "Amsterdam") in regions["Europe"]
    assert ("America/Argentina/Buenos_Aires", "Argentina, Buenos Aires") in regions["America"]
    names = [name for zones in regions.values() for name, _label in zones]
    assert len(names) == len(set(names))
    page = sign_in(owner).get("/profile/").content.decode()
    assert [page.count(f'<optgroup label="{region}">') for region in regions] == [1] * len(regions)


def test_where_people_are_asked_to_write_to_us_is_an_address(owner: User, sign_in: SignIn, settings: Any) -> None:
    settings.SELLER = {**settings.SELLER, "email": "help@example.org"}
    page = sign_in(owner).get("/customers/", follow=True).content.decode()
    assert 'Contact us to correct it. <a href="mailto:help@example.org">help@example.org</a>' in page
    settings.SELLER = {**settings.SELLER, "email": ""}
    assert "mailto:" not in sign_in(owner).get("/customers/", follow=True).content.decode()


def test_only_languages_with_a_catalogue_are_offered() -> None:
    assert ("en", "English") in languages_on_offer()


def test_a_single_customer_is_shown_at_once_and_several_as_a_list(
    customer: Customer, owner: User, sign_in: SignIn
) -> None:
    customer.contacts.create(name="Piet", email="piet@example.org", about_invoices=True)
    client = sign_in(owner)
    response = client.get("/customers/", follow=True)
    page = response.content.decode()
    assert response.redirect_chain == [(f"/customers/{customer.number}/", 302)]
    for text in ("Waterschap Vallei", "Veenderweg 13", "Piet", "olga@example.org"):
        assert text in page
    MembershipFactory(user=owner, customer=register_customer(name="Gemeente Ede", email="ede@example.org"))
    assert "Gemeente Ede" in client.get("/customers/").content.decode()
