"""Webhooks over the API: who may have them, and that their secrets are shown once."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from core.models import StoredReply
from customers.models import Customer, EventDelivery, Membership, User, Webhook
from customers.services import issue_token
from customers.webhooks.services import create_webhook, send_test
from tests.api.conftest import Caller, make_staff
from tests.factories import CustomerFactory, MembershipFactory

pytestmark = pytest.mark.django_db
HERE = "/api/v1/webhooks/"
URL = "https://register.example/hooks/geocat"


@pytest.fixture
def webhook(customer: Customer) -> Webhook:
    """A webhook of the customer."""
    return create_webhook(name="our register", url=URL, customer=customer)


def body_of(of: Customer, **changes: Any) -> dict[str, Any]:
    """A new webhook of the customer."""
    return {"customer": of.number, "name": "our register", "url": URL, **changes}


def test_secret_is_shown_when_the_webhook_is_created_and_never_again(owner: APIClient, customer: Customer) -> None:
    made = owner.post(HERE, body_of(customer, events=["order.active"]), format="json")
    row = Webhook.objects.get()
    assert (made.status_code, made.json()["secret"], made.json()["events"]) == (201, row.secret, ["order.active"])
    assert made["Location"] == f"http://testserver{HERE}{row.pk}/"
    for page in (owner.get(HERE), owner.get(f"{HERE}{row.pk}/")):
        assert row.secret not in page.content.decode()
        assert "our register" in page.content.decode()
    assert row.created_by == User.objects.get()


def test_repeated_request_shows_the_same_secret_which_is_stored_sealed(owner: APIClient, customer: Customer) -> None:
    key = {"Idempotency-Key": "webhook-4711"}
    made, again = (owner.post(HERE, body_of(customer), format="json", headers=key) for _ in range(2))
    assert made.json() == again.json()
    assert Webhook.objects.get().secret not in StoredReply.objects.get().body


def test_reply_that_an_older_version_stored_is_still_repeated(owner: APIClient, customer: Customer) -> None:
    key = {"Idempotency-Key": "webhook-4711"}
    owner.post(HERE, body_of(customer), format="json", headers=key)
    StoredReply.objects.update(body='{"stored": "plain"}')
    again = owner.post(HERE, body_of(customer), format="json", headers=key)
    assert (again.status_code, again.json()) == (201, {"stored": "plain"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://register.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "x" * 501}, "url"),
        ({"events": ["order.draft"]}, "events.0"),
        ({"events": "order.active"}, "events"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"customer": "C0000"}, "customer"),
        ({"customer": None}, "customer"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"is_active": False}, "is_active"),
    ],
)
def test_what_is_wrong_is_named(owner: APIClient, customer: Customer, changes: dict[str, Any], field: str) -> None:
    refused = owner.post(HERE, body_of(customer, **changes), format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])
    assert not Webhook.objects.exists()


def test_members_without_the_ability_have_no_webhooks(viewer: APIClient, customer: Customer, webhook: Webhook) -> None:
    assert viewer.get(HERE).json()["results"] == []
    assert viewer.post(HERE, body_of(customer), format="json").status_code == 403
    for method, path in (("get", ""), ("patch", ""), ("delete", ""), ("post", "secret/"), ("get", "deliveries/")):
        assert getattr(viewer, method)(f"{HERE}{webhook.pk}/{path}").status_code == 404
    assert Webhook.objects.get() == webhook


def test_stranger_cannot_tell_a_webhook_from_none(stranger: APIClient, customer: Customer, webhook: Webhook) -> None:
    send_test(webhook=webhook)
    refused = stranger.post(HERE, body_of(customer), format="json")
    made_up = stranger.post(HERE, body_of(customer, customer="C00000"), format="json")
    assert refused.json() == made_up.json()
    for path in ("", "deliveries/"):
        theirs, none = (stranger.get(f"{HERE}{pk}/{path}") for pk in (webhook.pk, 999_999))
        assert (theirs.status_code, theirs.json()["detail"]) == (none.status_code, none.json()["detail"])
    for path in ("secret/", "test/", "replay/"):
        assert stranger.post(f"{HERE}{webhook.pk}/{path}").status_code == 404


def test_webhook_is_changed_only_on_its_present_version(owner: APIClient, webhook: Webhook) -> None:
    here = f"{HERE}{webhook.pk}/"
    tag = owner.get(here)["ETag"]
    changed = owner.patch(here, {"name": "renamed", "is_active": False}, format="json", headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["name"], changed.json()["is_active"]) == (200, "renamed", False)
    stale = owner.patch(here, {"name": "again"}, format="json", headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert owner.delete(here, headers={"If-Match": tag}).status_code == 412
    assert owner.delete(here, headers={"If-Match": changed["ETag"]}).status_code == 204
    assert not Webhook.objects.exists()


def test_deletion_with_a_key_is_repeated_in_the_same_way(owner: APIClient, webhook: Webhook) -> None:
    key = {"Idempotency-Key": "delete-4711"}
    answers = [owner.delete(f"{HERE}{webhook.pk}/", headers=key) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]
    assert owner.delete(f"{HERE}{webhook.pk}/").status_code == 404


def test_secret_is_rotated(owner: APIClient, webhook: Webhook) -> None:
    rotated = owner.post(f"{HERE}{webhook.pk}/secret/")
    row = Webhook.objects.get()
    assert (rotated.status_code, rotated.json()["secret"]) == (201, row.secret)
    assert (row.previous_secret, row.secret != webhook.secret) == (webhook.secret, True)


def test_test_event_is_found_in_the_log(owner: APIClient, webhook: Webhook) -> None:
    tested = owner.post(f"{HERE}{webhook.pk}/test/")
    assert (tested.status_code, tested.json()["state"]) == (202, "waiting")
    (row,) = owner.get(tested["Location"]).json()["results"]
    assert (row["kind"], row["event_id"]) == ("webhook.test", tested.json()["event_id"])


def test_failed_deliveries_are_sent_again(owner: APIClient, webhook: Webhook) -> None:
    refused = owner.post(f"{HERE}{webhook.pk}/replay/", {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_replay")
    delivery = send_test(webhook=webhook)
    EventDelivery.objects.update(failed_version=1, next_attempt_at=None, last_error="The receiver answered 500.")
    (row,) = owner.get(f"{HERE}{webhook.pk}/deliveries/").json()["results"]
    assert (row["state"], row["last_error"]) == ("failed", "The receiver answered 500.")
    again = owner.post(f"{HERE}{webhook.pk}/replay/", {"deliveries": [delivery.pk]}, format="json")
    assert (again.status_code, again.json()) == (202, {"replayed": 1})
    for wrong in ({"deliveries": ["x"]}, {"deliveries": [0]}, {"deliveries": [2**70]}, {"deliveries": [1] * 1001}):
        assert owner.post(f"{HERE}{webhook.pk}/replay/", wrong, format="json").status_code == 422


def test_staff_need_a_permission_for_each_verb(calling: Caller, customer: Customer, webhook: Webhook) -> None:
    reader = calling(make_staff("customers.view_webhook", "customers.view_customer"))
    assert len(reader.get(HERE).json()["results"]) == 1
    assert reader.post(HERE, body_of(customer), format="json").status_code == 403
    assert reader.patch(f"{HERE}{webhook.pk}/", {"name": "x"}, format="json").status_code == 403
    assert reader.delete(f"{HERE}{webhook.pk}/").status_code == 403
    assert reader.post(f"{HERE}{webhook.pk}/test/").status_code == 403
    names = ("add", "view", "change", "delete")
    editor = calling(make_staff(*(f"customers.{name}_webhook" for name in names), "customers.view_customer"))
    assert editor.post(HERE, body_of(customer), format="json").status_code == 201
    assert editor.post(f"{HERE}{webhook.pk}/test/").status_code == 202
    assert editor.delete(f"{HERE}{webhook.pk}/").status_code == 204


def test_only_staff_have_a_webhook_for_all_customers(calling: Caller, owner: APIClient, customer: Customer) -> None:
    body = {"name": "staff", "url": URL}
    assert list(owner.post(HERE, body, format="json").json()["errors"]) == ["customer"]
    user = make_staff("customers.add_webhook", "customers.view_webhook", "customers.view_customer")
    made = calling(user).post(HERE, body, format="json")
    assert (made.status_code, made.json()["customer"]) == (201, None)
    narrow = APIClient()
    narrow.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(user=user, name='x', customer=customer)[1]}")
    assert list(narrow.post(HERE, body, format="json").json()["errors"]) == ["customer"]
    assert narrow.get(HERE).json()["results"] == []


def test_member_of_two_customers_needs_the_ability_at_that_customer(calling: Caller, customer: Customer) -> None:
    member = MembershipFactory(customer=customer, role=Membership.Role.READ_ONLY).user
    theirs = CustomerFactory()
    MembershipFactory(user=member, customer=theirs)
    client = calling(member)
    assert client.post(HERE, body_of(customer), format="json").status_code == 403
    assert client.post(HERE, body_of(theirs), format="json").status_code == 201
