"""Members change their running order: what differs first, then the request."""

from __future__ import annotations

import pytest

from customers.models import Customer, Membership, User
from orders.changes.services import upgrade_order
from orders.choices import ChangeState, Part, PartState
from orders.models import Order, OrderChange
from orders.services import report
from products.models import Product, Release
from tests.factories import MANIFEST, MembershipFactory, PlanFactory, ReleaseFactory, UserFactory
from tests.orders.situations import ESSENTIAL, active, fresh
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db
PAGES = ("upgrade", "plan", "settings", "secret-rotation")


@pytest.fixture
def order(customer: Customer) -> Order:
    return active(customer=customer)


@pytest.fixture
def release(order: Order) -> Release:
    """The release that new orders get; it asks for a region."""
    region = {"key": "region", "label": "Region", "type": "string", "required": True}
    row: Release = ReleaseFactory(
        product=order.release.product,
        version="v9",
        manifest={**MANIFEST, "inputs": [*MANIFEST["inputs"], region]},
        compose="services: {gateway: {image: 'nginx:2'}}",
    )
    Product.objects.filter(pk=row.product_id).update(present_release=row)
    return row


def arrive(order: Order) -> None:
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=fresh(order).wanted_version)


def test_the_order_page_says_that_another_version_is_there(
    order: Order, release: Release, owner: User, sign_in: SignIn
) -> None:
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert f"Version v9 is available. You have {order.release.version}." in page
    for name in PAGES:
        assert f"/orders/{order.reference}/{name}/" in page


def test_the_upgrade_page_shows_the_differences_and_asks_what_is_new(
    order: Order, release: Release, owner: User, sign_in: SignIn
) -> None:
    client, path = sign_in(owner), f"/orders/{order.reference}/upgrade/"
    page = client.get(path).content.decode()
    assert "debian:bookworm-slim" in page
    assert "nginx:2" in page
    assert "Region" in page
    refused = client.post(path, {})
    assert refused.status_code == 200
    assert not fresh(order).is_changing
    answer = client.post(path, {"input_region": "Veluwe"})
    assert answer["Location"] == f"/orders/{order.reference}/"
    assert (fresh(order).release, fresh(order).inputs["region"]) == (release, "Veluwe")
    assert OrderChange.objects.get().requested_by == owner


def test_a_release_that_asks_nothing_is_confirmed_by_the_button_alone(
    order: Order, owner: User, sign_in: SignIn
) -> None:
    release: Release = ReleaseFactory(product=order.release.product, version="v9", compose="services: {}")
    Product.objects.filter(pk=release.product_id).update(present_release=release)
    # What a browser sends, although the form has no field.
    answer = sign_in(owner).post(f"/orders/{order.reference}/upgrade/", {"csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 302
    assert fresh(order).release == release


def test_a_change_in_progress_is_shown_and_can_be_stopped(
    order: Order, release: Release, owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    upgrade_order(order=order, release=release, inputs={"region": "Veluwe"})
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert "Change in progress" in page
    assert "We are changing your services" in page
    assert f"/orders/{order.reference}/upgrade/" not in page
    client.post(f"/orders/{order.reference}/rollback/")
    assert OrderChange.objects.get().state == ChangeState.REVERTING


def test_the_former_version_is_offered_afterwards(order: Order, release: Release, owner: User, sign_in: SignIn) -> None:
    client, former = sign_in(owner), order.release
    assert client.get(f"/orders/{order.reference}/rollback/").status_code == 302
    upgrade_order(order=order, release=release, inputs={"region": "Veluwe"})
    arrive(order)
    assert f"Go back to {former.version}" in client.get(f"/orders/{order.reference}/").content.decode()
    client.post(f"/orders/{order.reference}/rollback/")
    assert fresh(order).release == former
    assert client.get(f"/orders/{order.reference}/upgrade/").status_code == 302


def test_a_plan_is_chosen_compared_and_requested(order: Order, owner: User, sign_in: SignIn) -> None:
    client, path = sign_in(owner), f"/orders/{order.reference}/plan/"
    assert "no other plan" in client.get(path).content.decode()
    PlanFactory(product=order.release.product, slug="large", name="Large", price="99.00", ram_gb=16)
    assert "Choose Large" in client.get(path).content.decode()
    compared = client.get(f"{path}?to=large").content.decode()
    assert "16 GB" in compared
    assert "€99.00" in compared
    client.post(f"{path}?to=large")
    assert fresh(order).plan.slug == "large"


def test_settings_are_filled_in_and_wrong_ones_refused(order: Order, owner: User, sign_in: SignIn) -> None:
    client, path = sign_in(owner), f"/orders/{order.reference}/settings/"
    assert 'value="Our maps"' in client.get(path).content.decode()
    assert "at most 60 characters" in client.post(path, {"input_title": "x" * 61}).content.decode()
    assert "present settings already" in client.post(path, {"input_title": "Our maps"}).content.decode()
    client.post(path, {"input_title": "Dikes"})
    assert fresh(order).inputs == {"title": "Dikes"}


def test_passwords_are_renewed_and_never_shown_by_it(order: Order, owner: User, sign_in: SignIn) -> None:
    client, path = sign_in(owner), f"/orders/{order.reference}/secret-rotation/"
    before = order.secrets.values["admin_password"]
    page = client.get(path).content.decode()
    assert "Administrator&#x27;s password" in page
    client.post(path)
    after = fresh(order).secrets.values["admin_password"]
    assert after != before
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert before not in page
    assert after not in page


@pytest.mark.parametrize("page", PAGES)
def test_others_find_no_such_page_and_onlookers_are_refused(
    order: Order, release: Release, onlooker: User, stranger: User, sign_in: SignIn, page: str
) -> None:
    path = f"/orders/{order.reference}/{page}/"
    for method in ("get", "post"):
        assert getattr(sign_in(stranger), method)(path).status_code == 404
        assert getattr(sign_in(onlooker), method)(path).status_code == 403
    assert fresh(order).wanted_version == 1


def test_technical_members_upgrade_but_the_plan_is_for_owners(
    order: Order, release: Release, customer: Customer, sign_in: SignIn
) -> None:
    user = UserFactory()
    MembershipFactory(user=user, customer=customer, role=Membership.Role.TECHNICAL)
    client = sign_in(user)
    assert client.get(f"/orders/{order.reference}/upgrade/").status_code == 200
    assert client.get(f"/orders/{order.reference}/plan/").status_code == 403
    assert f"/orders/{order.reference}/plan/" not in client.get(f"/orders/{order.reference}/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_an_order_that_has_failed_before_it_ran_is_not_changed(
    customer: Customer, owner: User, sign_in: SignIn, page: str
) -> None:
    order = active(customer=customer)
    report(order.pk, Part.SERVER, PartState.FAILED, "gone", version=1)
    Order.objects.filter(pk=order.pk).update(activated_at=None)
    answer = sign_in(owner).get(f"/orders/{order.reference}/{page}/")
    assert answer["Location"] == f"/orders/{order.reference}/"
