"""What reports leave behind: parts, timeline, moments, and how many queries that takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.choices import Part, PartState, State
from orders.models import Order, OrderEvent, OrderPart
from orders.part_reports import REPEATED_WITHIN, Report, reason_for_customers, report, report_many
from orders.services import suspend_order
from tests.driving import Drive
from tests.orders.situations import ESSENTIAL, active, degraded, fresh, provisioning

pytestmark = pytest.mark.django_db


def of(order: Order, part: Part = Part.SERVER, state: PartState = PartState.WORKING, **fields: object) -> Report:
    """A report on the order's present version."""
    values: dict[str, object] = {"version": order.wanted_version, **fields}
    return Report(order_pk=order.pk, part=part, state=state, **values)  # type: ignore[arg-type]


def lines(order: Order, *, public: bool = True) -> list[str]:
    """The timeline's lines about parts, oldest first."""
    return list(order.events.exclude(part="").filter(is_public=public).order_by("pk").values_list("message", flat=True))


def test_a_report_without_a_message_names_the_part_and_its_state() -> None:
    order = provisioning()
    report_many([of(order, state=PartState.READY)])
    assert lines(order) == ["Server: Ready"]


def test_the_last_of_two_reports_on_one_part_in_one_call_stands() -> None:
    order = provisioning()
    report_many([of(order, message="Requested."), of(order, state=PartState.READY, message="Running.")])
    part = order.parts.get()
    assert (part.state, part.message) == (PartState.READY, "Running.")
    assert lines(order) == ["Requested.", "Running."]


def test_a_new_message_in_the_same_state_is_stored_and_not_on_the_timeline() -> None:
    order = provisioning()
    for step in ("Booting.", "Still booting."):
        report_many([of(order, message=step)])
    assert order.parts.get().message == "Still booting."
    assert lines(order) == ["Booting."]
    assert fresh(order).reason == "Waiting for the server: Still booting."


def test_a_failure_that_is_repeated_in_other_words_is_on_the_timeline_again() -> None:
    order = provisioning()
    for message in ("quota exceeded", "quota exceeded", "no such image"):
        report_many([of(order, state=PartState.FAILED, message=message)])
    assert lines(order, public=False) == ["quota exceeded", "no such image"]


def test_a_report_on_a_newer_version_replaces_the_older_one() -> None:
    order = active()
    order = suspend_order(order=order)
    report_many([of(order, Part.COMPOSITION, PartState.READY, version=1, message="late")])
    assert order.parts.get(part=Part.COMPOSITION).message == "there"
    report_many([of(order, Part.COMPOSITION, PartState.SUSPENDED, message="Stopped.")])
    part = order.parts.get(part=Part.COMPOSITION)
    assert (part.version, part.message, fresh(order).state) == (2, "Stopped.", State.SUSPENDED)


def test_late_reports_among_others_are_left_out_and_the_others_count() -> None:
    old, new = suspend_order(order=active()), provisioning()
    report_many([of(old, version=1, message="late"), of(new, message="Requested.")])
    assert old.parts.get(part=Part.SERVER).message == "there"
    assert new.parts.get().message == "Requested."


def test_the_moments_of_a_life_are_stored_once(drive: Drive) -> None:
    order = active()
    assert order.activated_at == drive.now
    drive.now += timedelta(hours=1)
    for state in (PartState.DOWN, PartState.READY):
        report(order.pk, Part.ENDPOINTS, state, version=1)
    assert fresh(order).activated_at == drive.now - timedelta(hours=1)
    Order.objects.filter(pk=order.pk).update(wanted="removed", wanted_version=2)
    for part in ESSENTIAL:
        report(order.pk, part, PartState.REMOVED, version=2)
    assert fresh(order).removed_at == drive.now


def test_progress_notes_are_public_though_the_message_is_not() -> None:
    order = provisioning()
    report_many([of(order, message="pulling sha256:77", is_public=False, progress_note="Pulling images")])
    assert lines(order) == ["Pulling images"]
    part = order.parts.get()
    assert (part.message, part.customer_message) == ("pulling sha256:77", "")


def test_a_stage_is_noted_again_after_an_hour(drive: Drive) -> None:
    order = provisioning()
    for step in ("first", "second"):
        report_many([of(order, message=step, progress_note="Building csw")])
    assert lines(order) == ["Building csw"]
    drive.now += REPEATED_WITHIN + timedelta(seconds=1)
    report_many([of(order, message="third", progress_note="Building csw")])
    assert lines(order) == ["Building csw"] * 2


def test_the_notes_of_two_parts_do_not_hide_each_other() -> None:
    order = provisioning()
    for part in (Part.SERVER, Part.COMPOSITION):
        report_many([of(order, part, message="first", progress_note="Waiting for the network")])
        report_many([of(order, part, message="second", progress_note="Waiting for the network")])
    assert lines(order) == ["Waiting for the network"] * 2


def test_customers_read_their_message_and_staff_the_technical_one() -> None:
    order = provisioning()
    technical = of(order, message="HTTP 503 of node 7", is_public=False, customer_message="Retrying automatically.")
    report_many([technical])
    assert (lines(order), lines(order, public=False)) == (["Retrying automatically."], ["HTTP 503 of node 7"])
    assert fresh(order).reason == "Waiting for the server: HTTP 503 of node 7"
    assert reason_for_customers(fresh(order), order.parts.all()) == "Waiting for the server: Retrying automatically."


def test_a_state_change_is_said_to_customers_without_technical_words() -> None:
    order = active()
    down = of(order, Part.ENDPOINTS, PartState.DOWN, message="10.0.0.7 refused", is_public=False)
    report_many([down])
    row = fresh(order)
    assert (row.state, row.reason) == (State.DEGRADED, "10.0.0.7 refused")
    assert not any("10.0.0.7" in message for message in order.events.public().values_list("message", flat=True))


def test_attention_is_for_staff_on_the_timeline() -> None:
    order = provisioning()
    report_many([of(order, state=PartState.FAILED, message="quota of account 4711")])
    (event,) = order.events.filter(message__contains="quota of account 4711")
    assert (event.is_public, event.part, event.state) == (False, Part.SERVER, PartState.FAILED)
    assert fresh(order).reason == "Server: quota of account 4711"


def test_failure_is_one_line_on_the_timeline_for_staff_and_for_customers() -> None:
    for public in (True, False):
        order = active()
        texts = {"message": "WMS is down.", "is_public": public, "customer_message": "" if public else "One is down."}
        report_many([of(order, Part.ENDPOINTS, PartState.DOWN, **texts)])
        assert fresh(order).state == State.DEGRADED
        messages = list(order.events.values_list("message", flat=True))
        assert messages.count("WMS is down.") == 1
        assert messages.count("One is down.") == (not public)


def test_failure_that_a_part_reported_earlier_is_on_the_timeline_again_when_the_order_falls_back_to_it() -> None:
    order = active()
    report(order.pk, Part.ENDPOINTS, PartState.DOWN, "WMS is down.", version=1)
    report(order.pk, Part.SERVER, PartState.FAILED, "The disk is full.", version=1)
    report(order.pk, Part.SERVER, PartState.READY, "Running.", version=1)
    assert fresh(order).state == State.DEGRADED
    event = order.events.get(state=State.DEGRADED, part="")
    assert (event.message, event.is_public) == ("WMS is down.", True)


def test_failure_without_a_message_still_names_its_part() -> None:
    order = provisioning()
    report(order.pk, Part.SERVER, PartState.FAILED, version=1)
    assert "Server: Needs attention" in lines(order, public=False)


def test_a_degraded_order_that_recovers_is_active_again() -> None:
    order = degraded()
    report(order.pk, Part.ENDPOINTS, PartState.READY, "All endpoints passed.", version=1)
    row = fresh(order)
    assert (row.state, row.needs_attention, row.reason) == (State.ACTIVE, False, "Running; monitoring pending.")


def test_nothing_to_report_takes_two_queries_and_writes_nothing() -> None:
    order = active()
    with CaptureQueriesContext(connection) as queries:
        report_many([of(order, part, PartState.READY, message="there") for part in ESSENTIAL])
    assert not [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE"))]
    assert OrderEvent.objects.filter(order=order, part=Part.SERVER).count() == 1


def test_an_empty_call_changes_nothing() -> None:
    order = active()
    report_many([])
    assert fresh(order).updated_at == order.updated_at


@pytest.mark.parametrize("state", [PartState.WORKING, PartState.READY, PartState.FAILED])
def test_the_number_of_queries_does_not_grow_with_the_orders(state: PartState) -> None:
    few, many = [provisioning() for _ in range(2)], [provisioning() for _ in range(8)]
    counts = []
    for orders in (few, many):
        with CaptureQueriesContext(connection) as queries:
            report_many([of(order, state=state, message="m", progress_note="n") for order in orders])
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert OrderPart.objects.filter(state=state).count() == 10


def test_orders_that_are_not_reported_on_keep_their_row() -> None:
    reported, other = provisioning(), provisioning()
    report_many([of(reported, state=PartState.READY)])
    assert fresh(other).updated_at == other.updated_at
    assert not other.parts.exists()
