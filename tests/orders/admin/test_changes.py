"""Staff change a running order: choose, compare, confirm."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.changes.services import upgrade_order
from orders.choices import ChangeKind, ChangeState, PartState
from orders.models import Order, OrderChange
from orders.services import report
from products.models import Product, Release
from tests.factories import MANIFEST, PlanFactory, ReleaseFactory
from tests.orders.admin.conftest import messages_of, order_url, staff
from tests.orders.situations import ESSENTIAL, active, fresh, suspended

pytestmark = pytest.mark.django_db
NEW = "services:\n  gateway: {image: 'nginx:2'}\n  search: {image: 'elastic:8'}\n"


@pytest.fixture
def order() -> Order:
    return active()


@pytest.fixture
def release(order: Order) -> Release:
    """The release that new orders get."""
    row: Release = ReleaseFactory(
        product=order.release.product, version="v9", compose=NEW, author="Ada", message="Search\n\nand more"
    )
    Product.objects.filter(pk=row.product_id).update(present_release=row)
    return row


def test_releases_to_choose_from_say_who_made_them(operator: Client, order: Order, release: Release) -> None:
    page = operator.get(order_url(order, "upgrade")).content.decode()
    assert "v9" in page
    assert "Ada · Search" in page
    assert f'value="{release.pk}"' in page


def test_the_comparison_comes_before_the_confirmation(operator: Client, order: Order, release: Release) -> None:
    path = f"{order_url(order, 'upgrade')}?to={release.pk}"
    page = operator.get(path).content.decode()
    for text in ("elastic:8", "debian:bookworm-slim", "nginx:2", "stays €49.00 per month"):
        assert text in page
    assert not OrderChange.objects.exists()
    answer = operator.post(path, {"why": "Search is wanted."}, follow=True)
    assert f"Order {order.reference} is being upgraded." in messages_of(answer)
    change = OrderChange.objects.get()
    assert (change.to_release, change.reason) == (release, "Search is wanted.")
    assert "Upgrade to v9. Search is wanted." in LogEntry.objects.get().change_message


def test_a_new_input_is_asked_on_the_same_page(operator: Client, order: Order) -> None:
    region = {"key": "region", "label": "Region", "type": "string", "required": True}
    release = ReleaseFactory(
        product=order.release.product, manifest={**MANIFEST, "inputs": [*MANIFEST["inputs"], region]}
    )
    path = f"{order_url(order, 'upgrade')}?to={release.pk}"
    assert "Region" in operator.get(path).content.decode()
    operator.post(path, {"input_region": ""})
    assert not fresh(order).is_changing
    operator.post(path, {"input_region": "Veluwe"})
    assert fresh(order).inputs["region"] == "Veluwe"
    assert "Veluwe" not in LogEntry.objects.get().change_message


def test_a_price_that_new_orders_pay_is_shown_and_not_charged(operator: Client, order: Order) -> None:
    spec = {"slug": order.plan.slug, "price": "59.00", "currency": "EUR"}
    release = ReleaseFactory(product=order.release.product, manifest={**MANIFEST, "plans": [spec]})
    page = operator.get(f"{order_url(order, 'upgrade')}?to={release.pk}").content.decode()
    assert "€59.00" in page
    assert "keeps its agreed price" in page


def test_rolling_back_needs_a_reason(operator: Client, order: Order, release: Release) -> None:
    former = order.release
    changed = upgrade_order(order=order, release=release)
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=changed.wanted_version)
    path = f"{order_url(order, 'roll_back')}?to={former.pk}"
    operator.post(path, {"why": ""})
    assert fresh(order).release == release
    operator.post(path, {"why": "Slow."})
    assert (fresh(order).release, OrderChange.objects.latest("pk").kind) == (former, ChangeKind.ROLLBACK)


def test_a_change_in_progress_is_stopped_on_the_rollback_page(operator: Client, order: Order, release: Release) -> None:
    upgrade_order(order=order, release=release)
    assert "Stop the change and go back" in operator.get(order_url(order, "roll_back")).content.decode()
    operator.post(order_url(order, "roll_back"), {"why": "Wrong order."})
    assert OrderChange.objects.get().state == ChangeState.REVERTING


def test_a_plan_is_compared_by_size_and_price(operator: Client, order: Order) -> None:
    plan = PlanFactory.create(product=order.release.product, slug="large", name="Large", price="99.00", cpus=8)
    path = order_url(order, "change_plan")
    assert "€99.00 / " in operator.get(path).content.decode()
    page = operator.get(f"{path}?to={plan.pk}").content.decode()
    assert "8 CPUs" in page
    assert "€99.00 / " in page
    operator.post(f"{path}?to={plan.pk}", {"why": "Grows."})
    assert fresh(order).plan == plan


def test_settings_and_secrets_have_forms_of_their_own(operator: Client, order: Order) -> None:
    operator.post(order_url(order, "change_inputs"), {"input_title": "Dikes"})
    changed = fresh(order)
    assert changed.inputs == {"title": "Dikes"}
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=changed.wanted_version)
    before = changed.secrets.values
    operator.post(order_url(order, "rotate_secrets"), {"why": "Leaked.", "keys": []})
    assert fresh(order).secrets.values == before
    operator.post(order_url(order, "rotate_secrets"), {"why": "Leaked.", "keys": ["admin_password"]})
    after = fresh(order).secrets.values["admin_password"]
    assert after != before["admin_password"]
    assert after not in str(list(LogEntry.objects.values()))


@pytest.mark.parametrize("action", ["upgrade", "roll_back", "change_plan", "change_inputs", "rotate_secrets"])
def test_a_suspended_order_says_why_it_is_not_changed(operator: Client, action: str) -> None:
    order = suspended()
    answer = operator.get(order_url(order, action), follow=True)
    assert "running order" in messages_of(answer)


@pytest.mark.parametrize("action", ["upgrade", "roll_back", "change_plan", "change_inputs", "rotate_secrets"])
def test_support_reads_orders_and_changes_none(client: Client, order: Order, action: str) -> None:
    client.force_login(staff("view_order"))
    assert client.post(order_url(order, action), {"why": "x"}).status_code in (302, 403)
    assert fresh(order).wanted_version == 1


def test_with_nothing_else_to_choose_the_page_says_so(operator: Client, order: Order) -> None:
    assert "nothing else to choose" in operator.get(order_url(order, "upgrade")).content.decode()


def test_the_list_marks_outdated_orders_and_finds_them(operator: Client, order: Order, release: Release) -> None:
    other = active()
    page = operator.get("/admin/orders/order/").content.decode()
    assert page.count("Outdated</span>") == 1
    assert "Outdated</span>" in operator.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    found = operator.get("/admin/orders/order/?release=outdated").content.decode()
    assert order.reference in found
    assert other.reference not in found
    upgrade_order(order=other, release=ReleaseFactory(product=other.release.product))
    found = operator.get("/admin/orders/order/?release=changing").content.decode()
    assert other.reference in found
    assert order.reference not in found


def test_the_mark_costs_no_query_per_order(operator: Client, order: Order, release: Release) -> None:
    operator.get("/admin/orders/order/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        operator.get("/admin/orders/order/")
    for _number in range(5):
        active(release=order.release, plan=order.plan)
    with CaptureQueriesContext(connection) as many:
        operator.get("/admin/orders/order/")
    assert len(many) == len(few)
