"""The page of one order: its parts, its plan, its timeline, and the buttons that its situation allows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from unfold.enums import ActionVariant

from core import clock
from infrastructure.models import Provider
from orders.admin.order_page import EVENTS, input_lines, page_of, part_lines, plan_of, timeline
from orders.choices import OrderAction, Part, PartState, State
from orders.display import OF_STATE, tone_of
from orders.models import Order, OrderEvent
from orders.services import retry_order
from tests.factories import make_draft
from tests.orders.admin.conftest import order_url as url
from tests.orders.situations import SITUATIONS, active, failed, pending, provisioning, suspended, suspending

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_page_has_a_button_for_each_allowed_action_and_no_other(operator: Client, situation: str) -> None:
    order = SITUATIONS[situation]()
    content = operator.get(url(order)).content.decode()
    offered = {action for action in OrderAction if url(order, action.value) in content}
    assert offered == {action for action in OrderAction if order.allows(action)}
    assert url(order, "secrets") in content


@pytest.mark.parametrize("situation", SITUATIONS)
def test_parts_are_shown_once_there_is_something_to_show(situation: str) -> None:
    page = page_of(SITUATIONS[situation]())
    unplaced = situation in ("draft", "pending")
    assert (bool(page["parts"]), bool(page["plan"])) == (not unplaced, unplaced)
    assert page["is_on_its_way"] == (situation in ("provisioning", "changing", "removing"))


def test_a_part_says_which_version_it_answers() -> None:
    order = retry_order(order=failed())
    server, composition, *_others = part_lines(order)
    assert (server.label, server.state, server.version, server.message) == (
        "Server",
        "Needs attention",
        "1 of 2",
        "quota exceeded",
    )
    assert (composition.state, composition.version, composition.tone) == ("Not started", "", "")


@pytest.mark.parametrize("state", PartState)
def test_a_part_is_shown_in_the_words_of_its_state(state: PartState) -> None:
    order = active()
    order.parts.filter(part=Part.SERVER).update(state=state)
    server, *_others = part_lines(order)
    assert server.state == str(state.label)


def test_the_plan_names_size_price_and_fee() -> None:
    order = make_draft(plan_fields={"setup_fee": 10, "cpus": 2, "ram_gb": 4, "disk_gb": 80})
    order.refresh_from_db()
    size, price, *_others = plan_of(Order.objects.get(pk=order.pk))
    assert size.value == "2 CPUs, 4 GB memory, 80 GB disk · A server of its own"
    assert price.value == "€49.00 per month, and €10.00 once"


def test_the_plan_of_a_sandbox_order_costs_nothing() -> None:
    _size, price, *_others = plan_of(Order.objects.get(pk=make_draft(sandbox=True).pk))
    assert price.value == "None (sandbox order)"


def test_inputs_are_shown_by_their_labels_and_an_unknown_one_is_not() -> None:
    order = make_draft(inputs={"title": "Dikes"})
    order.inputs["former"] = "left over"
    assert input_lines(order) == [("Title", "Dikes")]
    order.inputs = {}
    assert input_lines(order) == [("Title", "")]


def add_events(order: Order, count: int) -> None:
    """Lines of a long life, the last of them the newest."""
    start = clock.now() + timedelta(minutes=1)
    OrderEvent.objects.bulk_create(
        OrderEvent(order=order, at=start + timedelta(seconds=number), message=f"event {number}")
        for number in range(count)
    )


def test_the_timeline_begins_with_the_newest_and_has_a_colour_for_each_state() -> None:
    order = failed()
    events = timeline(order)
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    tones = {event.message: event.tone for event in events}  # type: ignore[attr-defined]
    assert tones["quota exceeded"] == "danger"
    assert [event.message for event in events if "quota" in event.message] == ["quota exceeded"]
    assert tones["Order placed."] == ""


def test_a_long_timeline_is_cut_and_says_so() -> None:
    order = pending()
    assert page_of(order)["has_older"] is False
    add_events(order, EVENTS)
    page = page_of(order)
    assert (len(page["events"]), page["has_older"]) == (EVENTS, True)
    assert page["events"][0].message == f"event {EVENTS - 1}"


def test_the_page_takes_as_many_queries_for_an_old_order_as_for_a_new_one(operator: Client) -> None:
    new, old = active(), active()
    add_events(old, 50)
    counts = []
    for order in (new, new, old):
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(url(order)).status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_an_order_that_does_not_exist_has_no_page_and_no_action(operator: Client) -> None:
    gone = Order(pk=999_999)
    assert operator.get(url(gone)).status_code == 302
    for action in ("secrets", "edit", *(action.value for action in OrderAction)):
        assert operator.post(url(gone, action)).status_code == 404


def test_the_reason_and_what_customers_call_it_are_on_the_page(operator: Client) -> None:
    order = suspended()
    content = operator.get(url(order)).content.decode()
    assert "Suspended: services are stopped, data is kept." in content
    assert order.name in content


def test_order_whose_services_still_stop_is_called_suspending_and_nowhere_active(operator: Client) -> None:
    order = suspending()
    assert (order.state, order.state_label, tone_of(order)) == (State.ACTIVE, "Suspending", OF_STATE[State.SUSPENDED])
    page = operator.get(url(order)).content.decode()
    headline = page[page.index('class="gl-headline') : page.index("</section>")]
    assert "Suspending" in headline
    assert "Active" not in headline
    listed = operator.get("/admin/orders/order/").content.decode()
    assert "Suspending" in listed
    assert suspended().state_label == "Suspended"


def test_page_tells_what_a_draft_would_make(operator: Client) -> None:
    Provider.objects.create(slug="sandbox", name="Rehearsal cloud", kind=Provider.Kind.SANDBOX)
    content = operator.get(url(make_draft(sandbox=True))).content.decode()
    for text in (
        "Rehearsal cloud",
        "gateway",
        "Web Map Service (/wms)",
        "1 CPU, 2 GB memory, 20 GB disk",
        "sandbox order",
    ):
        assert text in content


def test_page_of_a_draft_says_that_no_provider_fits_and_what_to_do(operator: Client) -> None:
    order = make_draft()
    for page in (operator.get(url(order)), operator.get(url(order, "place"))):
        content = page.content.decode()
        assert "No enabled provider" in content
        assert "Enable one, or edit the provider that the order requests." in content
        assert '<a href="/admin/infrastructure/provider/">' in content


@pytest.mark.parametrize("has_provider", [True, False])
def test_placing_is_the_obvious_next_step_only_where_the_order_can_be_set_up(
    operator: Client, has_provider: bool
) -> None:
    Provider.objects.create(slug="rehearsal", name="R", kind=Provider.Kind.SANDBOX, is_enabled=has_provider)
    order = make_draft(sandbox=True)
    actions = operator.get(url(order)).context["actions_detail"]
    (place,) = [action for action in actions if action["title"] == "Place"]
    assert place["variant"] == (ActionVariant.PRIMARY if has_provider else ActionVariant.DEFAULT)
    assert operator.post(url(order, "place"), {"confirmed": "yes"}).status_code == 302  # it may be placed all the same


def test_page_of_an_order_that_needs_attention_says_what_to_do(operator: Client) -> None:
    content = operator.get(url(failed())).content.decode()
    assert "Correct the cause, then choose “Try again”; what is ready stays as it is." in content
    assert "Correct the cause" not in operator.get(url(active())).content.decode()


def test_page_shows_parts_in_the_order_of_arrival_and_the_timeline(operator: Client) -> None:
    order = failed()
    content = operator.get(url(order)).content.decode()
    places = [content.index(f"<b>{part.label}</b>") for part in Part]
    assert places == sorted(places)
    assert "quota exceeded" in content
    assert "staff only" in content


def test_the_page_of_an_order_keeps_up_only_while_the_order_is_on_its_way(operator: Client) -> None:
    on_its_way = provisioning()
    looks = [operator.get(url(order)).content.decode() for order in (on_its_way, active())]
    assert ["data-on-its-way" in html for html in looks] == [True, False]
    assert ["admin_live/order.js" in html for html in looks] == [True, False]
    assert all(f'data-live="{part}"' in html for html in looks for part in ("headline", "parts", "timeline"))
