"""A POST with a key is done once: sent again, at the same time, with another body, or after a crash."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from core import clock
from core.api import idempotency
from core.engine.schedules import all_schedules
from core.models import StoredReply
from customers.models import Customer
from orders.api import views
from orders.models import Order
from products.models import Plan
from tests.factories import PlanFactory, ReleaseFactory

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "whmcs-4711"}


@pytest.fixture
def body(customer: Customer) -> dict[str, object]:
    """What is ordered."""
    plan: Plan = PlanFactory(product=ReleaseFactory().product)
    return {"customer": customer.number, "product": plan.product.slug, "plan": plan.slug, "name": "maps"}


def order(client: APIClient, body: object, **headers: str) -> Any:
    """A POST to the orders."""
    return client.post("/api/v1/orders/", body, format="json", headers=KEY | headers)


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """It is later now."""
    then = clock.now() + by
    monkeypatch.setattr(clock, "now", lambda: then)


def test_repetition_gets_the_same_reply_and_orders_nothing(owner: APIClient, body: object) -> None:
    first, again = order(owner, body), order(owner, body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_key_with_another_body_or_address_is_refused(owner: APIClient, body: dict[str, object]) -> None:
    reference = order(owner, body).json()["reference"]
    other = order(owner, body | {"name": "other maps"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = owner.post(f"/api/v1/orders/{reference}/removal/", body, format="json", headers=KEY)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_keys_of_two_callers_do_not_meet(owner: APIClient, operator: APIClient, body: dict[str, object]) -> None:
    assert order(owner, body).status_code == 201
    theirs = order(operator, body | {"name": "other maps"})
    assert theirs.status_code == 201
    assert Order.objects.count() == 2


def test_repetition_during_the_work_is_a_conflict(
    owner: APIClient, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def place_slowly(**kwargs: Any) -> None:
        if not found:
            found.append(None)
            found[0] = order(owner, body)

    monkeypatch.setattr(views, "place_order", place_slowly)
    assert order(owner, body).status_code == 201
    assert (found[0].status_code, found[0].json()["code"]) == (409, "idempotency_key_in_use")
    assert Order.objects.count() == 1


def test_crash_in_the_work_undoes_it_and_frees_the_key(
    owner: APIClient, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**kwargs: Any) -> None:
        raise RuntimeError("the machine is gone")

    owner.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(views, "place_order", crash)
        crashed = order(owner, body)
    assert (crashed.status_code, crashed.json()["code"]) == (500, "error")
    assert "machine" not in crashed.content.decode()
    assert not Order.objects.exists()
    assert not StoredReply.objects.exists()
    assert order(owner, body).status_code == 201


def test_refusal_frees_the_key(owner: APIClient, body: dict[str, object]) -> None:
    Plan.objects.update(state=Plan.State.RETIRED)
    assert order(owner, body).status_code == 422
    assert not StoredReply.objects.exists()
    Plan.objects.update(state=Plan.State.OFFERED)
    assert order(owner, body).status_code == 201


def test_claim_of_a_killed_worker_is_taken_over_when_its_lease_is_out(
    owner: APIClient, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert order(owner, body).status_code == 201
    Order.objects.update(name="the kill undid this one")
    StoredReply.objects.update(status=None, body="", headers={})
    assert order(owner, body).status_code == 409
    later(monkeypatch, idempotency.LEASE_TIME + timedelta(seconds=1))
    assert order(owner, body).status_code == 201


def test_worker_that_lost_its_lease_undoes_its_work(
    owner: APIClient, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place_too_slowly(**kwargs: Any) -> None:
        StoredReply.objects.update(leased_until=clock.now() + timedelta(hours=1))

    monkeypatch.setattr(views, "place_order", place_too_slowly)
    assert order(owner, body).status_code == 409
    assert not Order.objects.exists()


def test_key_may_be_used_anew_after_a_day(
    owner: APIClient, body: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert order(owner, body).status_code == 201
    later(monkeypatch, idempotency.KEEP + timedelta(seconds=1))
    fresh = order(owner, body | {"name": "other maps"})
    assert (fresh.status_code, "Idempotency-Replayed" in fresh) == (201, False)


def test_old_replies_are_forgotten_by_the_clock(
    owner: APIClient, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(owner, body)
    assert idempotency.forget_old_replies() == 0
    later(monkeypatch, idempotency.KEEP + timedelta(seconds=1))
    assert idempotency.forget_old_replies() == 1
    assert "core.api.idempotency.forget_old_replies" in {every.task for every in all_schedules()}


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "sleutel-é"])
def test_key_of_a_wrong_form_is_refused(owner: APIClient, body: object, key: str) -> None:
    refused = order(owner, body, **{"Idempotency-Key": key})
    assert (refused.status_code, refused.json()["code"]) == (400, "parse_error")
    assert not Order.objects.exists()
