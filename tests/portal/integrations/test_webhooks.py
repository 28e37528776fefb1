"""Webhooks in the portal: for members who operate the systems, and nobody else."""

from __future__ import annotations

import pytest

from core import clock
from customers.models import Customer, EventDelivery, User, Webhook
from customers.webhooks.services import create_webhook, send_test
from tests.api.conftest import make_staff
from tests.factories import CustomerFactory, MembershipFactory
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db
HERE = "/webhooks/"
URL = "https://register.example/hooks/geocat"
VERBS = ("secret", "test", "replay", "deletion")


@pytest.fixture
def webhook(customer: Customer) -> Webhook:
    """A webhook of the customer."""
    return create_webhook(name="our register", url=URL, customer=customer)


def test_secret_of_a_new_webhook_is_shown_once(owner: User, customer: Customer, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    asked = {"customer": customer.pk, "name": "our register", "url": URL, "events": ["order.active"]}
    page = browser.post(HERE, asked)
    row = Webhook.objects.get()
    assert row.secret in page.content.decode()
    assert (row.customer, row.events, row.created_by) == (customer, ["order.active"], owner)
    for path in (HERE, f"{HERE}{row.pk}/"):
        again = browser.get(path).content.decode()
        assert row.secret not in again
        assert "our register" in again


def test_page_that_is_sent_twice_makes_one_webhook(owner: User, customer: Customer, sign_in: SignIn) -> None:
    browser, asked = sign_in(owner), {"customer": customer.pk, "name": "our register", "url": URL}
    assert browser.post(HERE, asked).status_code == 200
    again = browser.post(HERE, asked)
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["name"])
    row = Webhook.objects.get()
    assert browser.post(f"{HERE}{row.pk}/", {"name": row.name, "url": f"{URL}/2", "is_active": "on"}).status_code == 302
    assert browser.post(HERE, {**asked, "name": "another"}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://register.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"name": ""}, "name"),
        ({"events": ["order.draft"]}, "events"),
        ({"customer": 0}, "customer"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    owner: User, customer: Customer, sign_in: SignIn, changes: dict[str, object], field: str
) -> None:
    page = sign_in(owner).post(HERE, {"customer": customer.pk, "name": "x", "url": URL, **changes})
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert not Webhook.objects.exists()


def test_webhook_of_another_customer_is_not_created(owner: User, sign_in: SignIn) -> None:
    page = sign_in(owner).post(HERE, {"customer": CustomerFactory().pk, "name": "x", "url": URL})
    assert (page.status_code, Webhook.objects.exists()) == (422, False)


def test_settings_are_changed_and_the_webhook_is_switched_off(owner: User, webhook: Webhook, sign_in: SignIn) -> None:
    browser, here = sign_in(owner), f"{HERE}{webhook.pk}/"
    browser.post(here, {"name": "renamed", "url": URL, "events": ["invoice.paid"]})
    webhook.refresh_from_db()
    assert (webhook.name, webhook.events, webhook.is_active) == ("renamed", ["invoice.paid"], False)
    refused = browser.post(here, {"name": "x", "url": "http://x.example/", "is_active": "on"})
    assert (refused.status_code, "https://" in refused.content.decode()) == (422, True)


def test_log_shows_what_was_sent_and_what_failed(owner: User, webhook: Webhook, sign_in: SignIn) -> None:
    browser, here = sign_in(owner), f"{HERE}{webhook.pk}/"
    assert "The test is being sent" in browser.post(f"{here}test/", follow=True).content.decode()
    EventDelivery.objects.update(
        failed_version=1, next_attempt_at=None, last_error="The receiver answered 500.", status_code=500
    )
    page = browser.get(here).content.decode()
    assert "The receiver answered 500." in page
    assert "HTTP 500" in page
    assert "being sent again" in browser.post(f"{here}replay/", follow=True).content.decode()
    assert not EventDelivery.objects.get().has_failed
    assert "Only deliveries that failed" in browser.post(f"{here}replay/", follow=True).content.decode()


def test_rotated_secret_is_shown_once(owner: User, webhook: Webhook, sign_in: SignIn) -> None:
    page = sign_in(owner).post(f"{HERE}{webhook.pk}/secret/")
    row = Webhook.objects.get()
    assert row.secret != webhook.secret
    assert row.secret in page.content.decode()
    assert webhook.secret not in page.content.decode()


def test_webhook_is_deleted(owner: User, webhook: Webhook, sign_in: SignIn) -> None:
    assert "has been deleted" in sign_in(owner).post(f"{HERE}{webhook.pk}/deletion/", follow=True).content.decode()
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("who", ["read-only", "stranger", "staff"])
def test_nobody_else_sees_or_touches_a_webhook(
    who: str, onlooker: User, stranger: User, webhook: Webhook, sign_in: SignIn
) -> None:
    send_test(webhook=webhook)
    people = {"read-only": onlooker, "stranger": stranger, "staff": make_staff("customers.view_webhook")}
    browser = sign_in(people[who])
    assert browser.get(HERE).status_code == (200 if who == "stranger" else 403)
    theirs, none = browser.get(f"{HERE}{webhook.pk}/"), browser.get(f"{HERE}999999/")
    assert (theirs.status_code, none.status_code) == (404, 404)
    for verb in VERBS:
        assert browser.get(f"{HERE}{webhook.pk}/{verb}/").status_code == 405
        assert browser.post(f"{HERE}{webhook.pk}/{verb}/").status_code == 404
    assert browser.post(f"{HERE}{webhook.pk}/", {"name": "x", "url": URL}).status_code == 404
    assert Webhook.objects.get().updated_at <= clock.now()
    assert (Webhook.objects.get().name, EventDelivery.objects.count()) == ("our register", 1)


def test_profile_leads_to_both_pages_for_those_who_may(
    owner: User, onlooker: User, customer: Customer, sign_in: SignIn
) -> None:
    MembershipFactory(user=owner)
    assert f'href="{HERE}"' in sign_in(owner).get("/profile/").content.decode()
    page = sign_in(onlooker).get("/profile/").content.decode()
    assert f'href="{HERE}"' not in page
    assert 'href="/tokens/"' in page
