"""Changes of a running order over the API: by noun, by role, refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from customers.models import Customer
from orders.changes.services import upgrade_order
from orders.choices import Part, PartState
from orders.models import Order, OrderChange
from orders.services import report
from products.models import Product, Release
from tests.factories import MANIFEST, PlanFactory, ReleaseFactory
from tests.orders.situations import ESSENTIAL, active, fresh, suspended

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(customer: Customer) -> Order:
    """A running order of the owner's customer."""
    return active(customer=customer)


@pytest.fixture
def release(order: Order) -> Release:
    """The release that new orders get."""
    row: Release = ReleaseFactory(
        product=order.release.product, version="v9", compose="services: {gateway: {image: 'nginx:2'}}"
    )
    Product.objects.filter(pk=row.product_id).update(present_release=row)
    return row


def post(client: APIClient, order: Order, noun: str, body: object = None, **headers: str) -> Any:
    path = f"/api/v1/orders/{order.reference}/{noun}/"
    return client.post(path, body or {}, format="json", headers=headers)


def test_an_upgrade_is_accepted_and_shown_on_the_order(owner: APIClient, order: Order, release: Release) -> None:
    assert owner.get(f"/api/v1/orders/{order.reference}/").json()["outdated"] is True
    answer = post(owner, order, "upgrade", {"release": "v9", "why": "Faster."})
    assert answer.status_code == 202, answer.json()
    shown = answer.json()
    assert (shown["release"], shown["changing"], shown["outdated"], shown["wanted_version"]) == ("v9", True, False, 2)


def test_the_same_key_upgrades_once(owner: APIClient, order: Order, release: Release) -> None:
    for _time in range(2):
        answer = post(owner, order, "upgrade", {"release": "v9"}, **{"Idempotency-Key": "once"})
        assert answer.status_code == 202
    assert OrderChange.objects.count() == 1


def test_a_rollback_without_a_release_goes_to_the_former_one(owner: APIClient, order: Order, release: Release) -> None:
    former = order.release
    changed = upgrade_order(order=order, release=release)
    for part in ESSENTIAL:
        report(changed.pk, part, PartState.READY, version=changed.wanted_version)
    answer = post(owner, order, "rollback")
    assert (answer.status_code, answer.json()["release"]) == (202, former.version)


def test_a_second_change_is_refused_while_one_is_in_progress(owner: APIClient, order: Order, release: Release) -> None:
    post(owner, order, "upgrade", {"release": "v9"})
    answer = post(owner, order, "settings", {"inputs": {"title": "Dikes"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")


def test_every_noun_takes_its_own_body(owner: APIClient, order: Order) -> None:
    PlanFactory(product=order.release.product, slug="large")
    bodies = {
        "plan-change": {"plan": "large"},
        "settings": {"inputs": {"title": "Dikes"}},
        "secret-rotation": {"keys": ["admin_password"]},
    }
    for noun, body in bodies.items():
        answer = post(owner, order, noun, body)
        assert answer.status_code == 202, answer.json()
        present = fresh(order)
        for part in ESSENTIAL:
            report(order.pk, part, PartState.READY, version=present.wanted_version)
    kinds = owner.get(f"/api/v1/orders/{order.reference}/changes/").json()["results"]
    assert [(row["kind"], row["state"]) for row in kinds] == [
        ("plan", "applied"),
        ("inputs", "applied"),
        ("secrets", "applied"),
    ]
    assert (fresh(order).plan.slug, fresh(order).inputs) == ("large", {"title": "Dikes"})


@pytest.mark.parametrize(
    ("noun", "body", "field"),
    [
        ("upgrade", {}, "release"),
        ("upgrade", {"release": "v0"}, "release"),
        ("upgrade", {"release": ["v9"]}, "release"),
        ("rollback", {"release": "v0"}, "release"),
        ("plan-change", {"plan": "enormous"}, "plan"),
        ("settings", {}, "inputs"),
        ("settings", {"inputs": "title"}, "inputs"),
        ("secret-rotation", {"keys": "all"}, "keys"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_at_its_field(
    owner: APIClient, order: Order, noun: str, body: object, field: str
) -> None:
    answer = post(owner, order, noun, body)
    assert answer.status_code == 422
    assert field in str(answer.json())
    assert not OrderChange.objects.exists()


def test_a_suspended_order_is_not_upgraded(owner: APIClient, customer: Customer) -> None:
    order = suspended()
    Order.objects.filter(pk=order.pk).update(customer=customer)
    ReleaseFactory(product=order.release.product, version="v9")
    assert post(owner, order, "upgrade", {"release": "v9"}).status_code == 409


def test_strangers_and_onlookers_change_nothing(
    stranger: APIClient, viewer: APIClient, order: Order, release: Release
) -> None:
    for noun in ("upgrade", "rollback", "plan-change", "settings", "secret-rotation"):
        assert post(stranger, order, noun, {"release": "v9"}).status_code == 404
        assert post(viewer, order, noun, {"release": "v9"}).status_code == 403
    assert fresh(order).wanted_version == 1


def test_the_differences_are_read_before_anything_is_asked(viewer: APIClient, order: Order, release: Release) -> None:
    answer = viewer.get(f"/api/v1/orders/{order.reference}/comparison/v9/").json()
    images = next(section for section in answer["sections"] if section["key"] == "images")
    assert images["lines"] == [
        {"kind": "changed", "name": "gateway", "before": "debian:bookworm-slim", "after": "nginx:2"}
    ]
    assert "stays €49.00 per month" in answer["price_note"]
    assert viewer.get(f"/api/v1/orders/{order.reference}/comparison/v0/").status_code == 404


def test_what_went_wrong_is_for_staff(owner: APIClient, operator: APIClient, order: Order, release: Release) -> None:
    changed = upgrade_order(order=order, release=release)
    report(order.pk, Part.COMPOSITION, PartState.FAILED, "out of memory at 10.0.0.8", version=changed.wanted_version)
    path = f"/api/v1/orders/{order.reference}/changes/"
    (shown,) = owner.get(path).json()["results"]
    assert (shown["state"], shown["error"]) == ("reverting", "")
    assert "out of memory" in operator.get(path).json()["results"][0]["error"]
    timeline = str(owner.get(f"/api/v1/orders/{order.reference}/timeline/").json())
    assert "out of memory" not in timeline
    assert "Going back to" in timeline


def test_outdated_and_changing_orders_are_found(operator: APIClient, order: Order, release: Release) -> None:
    other = active()

    def found(query: str) -> set[str]:
        return {row["reference"] for row in operator.get(f"/api/v1/orders/?{query}").json()["results"]}

    assert found("outdated=true") == {order.reference}
    assert found("outdated=false") == {other.reference}
    assert found("changing=true") == set()
    upgrade_order(order=order, release=ReleaseFactory(product=order.release.product, manifest=MANIFEST))
    assert found("changing=true") == {order.reference}
