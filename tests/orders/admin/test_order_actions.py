"""Staff act on orders in the admin: by permission, confirmed, with a reason, and kept in the history."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils.html import escape

from customers.models import Customer
from orders.choices import State, Wanted
from orders.models import Order, OrderEvent
from tests.factories import UserFactory, make_draft
from tests.orders.admin.conftest import EVERYTHING, messages_of, staff
from tests.orders.admin.conftest import order_url as page
from tests.orders.situations import active, failed, pending, suspended

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"


STEPS: dict[str, tuple[Any, dict[str, str], State, Wanted]] = {
    "place": (make_draft, {}, State.PENDING, Wanted.RUNNING),
    "approve": (pending, {}, State.PROVISIONING, Wanted.RUNNING),
    "suspend": (active, {"why": "Not paid."}, State.ACTIVE, Wanted.SUSPENDED),
    "resume": (suspended, {"why": "Paid."}, State.PROVISIONING, Wanted.RUNNING),
    "retry": (failed, {"why": "Quota raised."}, State.PROVISIONING, Wanted.RUNNING),
    "remove": (lambda: active(sandbox=True), {"why": "Contract ended."}, State.REMOVING, Wanted.REMOVED),
}
PERMISSION = {
    "place": "add_order",
    "approve": "approve_order",
    "suspend": "steer_order",
    "resume": "steer_order",
    "retry": "steer_order",
    "remove": "remove_order",
}
each_step = pytest.mark.parametrize("step", STEPS)


@each_step
def test_confirmed_step_is_taken_and_kept_in_the_history(operator: Client, step: str) -> None:
    make, given, state, wanted = STEPS[step]
    order = make()
    answer = operator.post(page(order, step), given, follow=True)
    order.refresh_from_db()
    assert (order.state, order.wanted) == (state, wanted)
    assert order.reference in messages_of(answer)
    entry = LogEntry.objects.get()
    assert entry.object_id == str(order.pk)
    assert given.get("why", "") in entry.change_message
    asked = OrderEvent.objects.filter(order=order, actor__isnull=False).last()
    assert asked is not None
    assert given.get("why", "") in asked.message


@each_step
def test_looking_at_a_step_changes_nothing(operator: Client, step: str) -> None:
    order = STEPS[step][0]()
    before = (order.state, order.wanted, order.wanted_version, OrderEvent.objects.count())
    answer = operator.get(page(order, step))
    order.refresh_from_db()
    assert answer.status_code == 200
    assert (order.state, order.wanted, order.wanted_version, OrderEvent.objects.count()) == before
    assert not LogEntry.objects.exists()


@each_step
def test_step_is_refused_to_staff_without_its_permission(client: Client, step: str) -> None:
    order = STEPS[step][0]()
    client.force_login(staff(*(permission for permission in EVERYTHING if permission != PERMISSION[step])))
    assert client.post(page(order, step), STEPS[step][1]).status_code == 403
    assert page(order, step).encode() not in client.get(page(order)).content
    version = order.wanted_version
    order.refresh_from_db()
    assert (order.wanted_version, order.approved_at is None) == (version, step in ("place", "approve"))


@each_step
def test_step_sends_strangers_to_sign_in(client: Client, step: str) -> None:
    order = STEPS[step][0]()
    client.force_login(UserFactory())
    answer = client.post(page(order, step), STEPS[step][1])
    assert answer.status_code == 302
    assert "/admin/orders" not in answer.headers["Location"].split("?")[0]


@pytest.mark.parametrize("step", ["suspend", "remove"])
def test_step_that_takes_something_away_wants_a_reason(operator: Client, step: str) -> None:
    order = active(sandbox=True)
    assert operator.post(page(order, step), {"why": " "}).status_code == 200
    order.refresh_from_db()
    assert order.wanted == Wanted.RUNNING


def test_removal_says_what_is_destroyed_and_wants_the_reference_typed(operator: Client) -> None:
    order = active()
    assert b"the following is destroyed" in operator.get(page(order, "remove")).content
    operator.post(page(order, "remove"), {"why": "Contract ended.", "reference": "GL0000"})
    order.refresh_from_db()
    assert order.wanted == Wanted.RUNNING
    operator.post(page(order, "remove"), {"why": "Contract ended.", "reference": order.reference.lower()})
    order.refresh_from_db()
    assert order.wanted == Wanted.REMOVED


def test_step_that_does_not_fit_is_an_error_and_not_offered(operator: Client) -> None:
    order = make_draft()
    assert "Not possible" in messages_of(operator.post(page(order, "approve"), follow=True))
    content = operator.get(page(order)).content.decode()
    offered = [step for step in STEPS if page(order, step) in content]
    assert offered == ["place", "remove"]


def test_refusal_of_the_service_is_shown_on_the_page_that_asked(operator: Client) -> None:
    order = pending()
    Customer.objects.update(state=Customer.State.CLOSED)
    answer = operator.post(page(order, "approve"), follow=True)
    assert "is closed; nothing can be ordered" in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_orders_are_approved_together_once_confirmed(operator: Client) -> None:
    orders = [pending(), pending(), active()]
    asked: dict[str, Any] = {"action": "approve_many", "_selected_action": [str(order.pk) for order in orders]}
    page = operator.post(LIST, asked).content.decode()
    assert f"{orders[0].reference} · {orders[0].name} · {orders[0].customer} · Map server · Small · €49.00" in page
    assert Order.objects.filter(state=State.PENDING).count() == 2
    answer = operator.post(LIST, {**asked, "confirmed": "yes"}, follow=True)
    assert Order.objects.filter(state=State.PENDING).count() == 0
    assert "2 changed" in messages_of(answer)
    assert f"{orders[2].reference}: Only an order that is pending" in messages_of(answer)
    assert LogEntry.objects.count() == 2


def test_orders_are_tried_again_together(operator: Client) -> None:
    orders = [failed(), failed()]
    asked = {"action": "retry_many", "_selected_action": [str(order.pk) for order in orders], "confirmed": "yes"}
    assert "2 changed" in messages_of(operator.post(LIST, asked, follow=True))
    assert not Order.objects.filter(needs_attention=True).exists()


@pytest.mark.parametrize("action", ["approve_many", "retry_many"])
def test_bulk_actions_are_refused_without_their_permission(client: Client, action: str) -> None:
    order = pending()
    client.force_login(staff("view_order"))
    client.post(LIST, {"action": action, "_selected_action": [str(order.pk)], "confirmed": "yes"})
    order.refresh_from_db()
    assert order.state == State.PENDING


def test_secrets_are_shown_by_a_click_that_is_written_down(operator: Client) -> None:
    order = make_draft()
    secret = order.secrets.values["admin_password"]
    assert secret not in operator.get(page(order)).content.decode()
    assert secret not in operator.get(page(order, "secrets")).content.decode()
    answer = operator.post(page(order, "secrets"))
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    last = OrderEvent.objects.filter(order=order).last()
    assert last is not None
    assert (last.message, last.is_public) == ("Secrets revealed.", False)
    assert LogEntry.objects.get().change_message == "Secrets revealed."


def test_each_revealed_secret_has_a_button_that_copies_it(operator: Client) -> None:
    order = make_draft()
    content = operator.post(page(order, "secrets")).content.decode()
    for value in order.secrets.values.values():
        button = f'<button type="button" class="gl-copy" data-copy="{escape(value)}"'
        assert f"<code>{escape(value)}</code> {button}" in content
    assert "admin_live/copy.js" in content
    hidden = operator.get(page(order, "secrets")).content.decode()
    assert "data-copy=" not in hidden


def test_reason_and_author_are_apart_on_the_timeline(operator: Client) -> None:
    order = active()
    operator.post(page(order, "suspend"), {"why": "Not paid", "confirm": "yes"})
    event = OrderEvent.objects.get(order=order, message__contains="Not paid")
    assert event.actor is not None
    content = " ".join(operator.get(page(order)).content.decode().split())
    author = content.index(f"· {event.actor}", content.index("Not paid"))
    between = content[content.index("Not paid", content.index("gl-timeline")) + len("Not paid") : author]
    assert "</p>" in between
    assert "<time" in between


def test_secrets_are_refused_without_their_permission(client: Client) -> None:
    order = make_draft()
    client.force_login(staff("view_order", "steer_order"))
    assert client.post(page(order, "secrets")).status_code == 403


def test_nobody_edits_or_deletes_an_order(client: Client) -> None:
    order = active()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.post(page(order), {"state": "removed", "name": "other"}).status_code == 403
    assert client.post(page(order, "delete"), {"post": "yes"}).status_code == 403
    order.refresh_from_db()
    assert order.state == State.ACTIVE
