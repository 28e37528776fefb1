"""The lifecycle as a table, and what holds for whatever the rooms report, in whatever sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.choices import Part, PartState, State, Wanted
from orders.lifecycle import (
    ARRIVED,
    ARRIVES_AFTER,
    LEAVES_AFTER,
    REQUIRED,
    OrderStatus,
    ReportedPart,
    lets_others_move,
    may_move,
    order_status,
)

RUNNING, SUSPENDED, REMOVED = Wanted.RUNNING, Wanted.SUSPENDED, Wanted.REMOVED
ALL_READY = dict.fromkeys(Part, PartState.READY)


def status(parts: dict[Part, PartState], wanted: Wanted = RUNNING, version: int = 1, at: int = 1) -> OrderStatus:
    """The status of a placed and approved order whose `parts` answer version `at`."""
    reports = [
        ReportedPart(part=part, state=state, version=at, message=f"{part} says") for part, state in parts.items()
    ]
    return order_status(wanted=wanted, version=version, placed=True, approved=True, parts=reports)


# What an order with every part ready becomes when one part is in another state: a row for each part and state.
W, R, D, M, S, X, F = (
    PartState.WORKING,
    PartState.READY,
    PartState.DOWN,
    PartState.MAINTENANCE,
    PartState.SUSPENDED,
    PartState.REMOVED,
    PartState.FAILED,
)
NEEDED = {W: "provisioning", R: "active", D: "degraded", M: "active", S: "provisioning", X: "provisioning"}
EXTRA = {**dict.fromkeys(PartState, "active"), D: "degraded"}
STOPPING = dict.fromkeys(PartState, "active")
TABLE = {
    RUNNING: {
        Part.SERVER: {**NEEDED, F: "attention"},
        Part.COMPOSITION: {**NEEDED, F: "attention"},
        Part.ENDPOINTS: {**NEEDED, F: "attention"},
        Part.MONITORING: EXTRA,
        Part.SUBSCRIPTION: EXTRA,
    },
    SUSPENDED: {
        Part.SERVER: {**STOPPING, F: "attention"},
        Part.COMPOSITION: {**STOPPING, S: "suspended", F: "attention"},
        Part.ENDPOINTS: {**STOPPING, F: "attention"},
        Part.MONITORING: STOPPING,
        Part.SUBSCRIPTION: STOPPING,
    },
    REMOVED: {part: {**dict.fromkeys(PartState, "removing"), F: "attention"} for part in Part},
}
ROWS = [
    (wanted, part, state, expected)
    for wanted, by_part in TABLE.items()
    for part, by_state in by_part.items()
    for state, expected in by_state.items()
]


def test_the_table_has_a_row_for_everything() -> None:
    assert len(ROWS) == len(Wanted) * len(Part) * len(PartState)


@pytest.mark.parametrize(("wanted", "part", "state", "expected"), ROWS)
def test_state_by_the_state_of_one_part(wanted: Wanted, part: Part, state: PartState, expected: str) -> None:
    assert status({**ALL_READY, part: state}, wanted).state == State(expected)


@pytest.mark.parametrize(("part", "state"), [(part, state) for part in Part for state in PartState])
def test_the_last_part_that_is_left_keeps_an_order_from_being_removed(part: Part, state: PartState) -> None:
    parts = {**dict.fromkeys(Part, X), part: state}
    expected = {X: State.REMOVED, F: State.ATTENTION}.get(state, State.REMOVING)
    assert status(parts, REMOVED).state == expected


@pytest.mark.parametrize(("part", "state"), [(part, state) for part in Part for state in PartState])
def test_parts_that_answer_an_older_version_count_as_not_there_yet(part: Part, state: PartState) -> None:
    reports = [
        ReportedPart(part=other, state=state if other is part else R, version=1 if other is part else 2)
        for other in Part
    ]
    found = order_status(wanted=RUNNING, version=2, placed=True, approved=True, parts=reports)
    if state is D:
        expected = State.DEGRADED if part not in REQUIRED else State.PROVISIONING
    else:
        expected = State.PROVISIONING if part in REQUIRED else State.ACTIVE
    assert found.state == expected


@pytest.mark.parametrize(
    ("placed", "approved", "wanted", "expected"),
    [
        (False, False, RUNNING, State.DRAFT),
        (True, False, RUNNING, State.PENDING),
        (True, True, RUNNING, State.PROVISIONING),
        (False, False, REMOVED, State.REMOVED),
        (True, False, REMOVED, State.REMOVED),
    ],
)
def test_an_order_without_parts(placed: bool, approved: bool, wanted: Wanted, expected: State) -> None:
    assert order_status(wanted=wanted, version=1, placed=placed, approved=approved, parts=[]).state == expected


def test_the_reason_says_what_is_waited_for_and_what_it_reported() -> None:
    assert status({}).reason == "Waiting for the server."
    assert status({Part.SERVER: W}).reason == "Waiting for the server: server says"
    assert status({Part.SERVER: R}).reason == "Waiting for the composition."
    assert status({Part.SERVER: F}).reason == "Server: server says"
    assert (
        status({**ALL_READY, Part.MONITORING: F}).reason == "Running, but Monitoring needs attention: monitoring says"
    )
    assert status({Part.SERVER: R, Part.MONITORING: R}, REMOVED).reason == "Still to be removed: Monitoring, Server."
    assert status({**ALL_READY, Part.MONITORING: W}).reason == "Running; monitoring pending."


def test_announced_maintenance_hides_what_is_down_meanwhile() -> None:
    found = status({**ALL_READY, Part.ENDPOINTS: D, Part.MONITORING: M})
    assert (found.state, found.needs_attention, found.reason) == (State.ACTIVE, False, "monitoring says")


def test_customers_read_their_own_message_and_staff_the_technical_one() -> None:
    report = ReportedPart(part=Part.SERVER, state=W, version=1, message="HTTP 503", customer_message="Not ready yet.")
    assert report.for_customers.message == "Not ready yet."
    assert report.for_customers.customer_message is None
    assert replace(report, customer_message=None).for_customers.message == "HTTP 503"


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("state", PartState)
def test_a_part_moves_when_what_comes_before_it_has_arrived(part: Part, state: PartState) -> None:
    before = [ReportedPart(part=other, state=state, version=1) for other in ARRIVES_AFTER[part]]
    assert may_move(part, wanted=RUNNING, version=1, parts=before) == (not before or state in ARRIVED)
    assert may_move(part, wanted=RUNNING, version=2, parts=before) == (not before)
    assert may_move(part, wanted=SUSPENDED, version=2, parts=before)


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("state", PartState)
def test_a_part_leaves_when_what_leaves_before_it_is_gone(part: Part, state: PartState) -> None:
    before = [ReportedPart(part=other, state=state, version=1) for other in LEAVES_AFTER[part]]
    assert may_move(part, wanted=REMOVED, version=2, parts=before) == (not before or state is X)
    assert may_move(part, wanted=REMOVED, version=2, parts=[]), "what never existed holds nothing back"


def test_the_sequences_of_arriving_and_leaving_have_no_circle() -> None:
    for after in (ARRIVES_AFTER, LEAVES_AFTER):
        assert any(
            all(sequence.index(before) < sequence.index(part) for part in Part for before in after[part])
            for sequence in permutations(Part)
        )


parts_of_an_order = st.lists(
    st.builds(
        ReportedPart,
        part=st.sampled_from(Part),
        state=st.sampled_from(PartState),
        version=st.integers(1, 3),
        message=st.text(max_size=12),
    ),
    unique_by=lambda report: report.part,
)


def any_status(
    wanted: Wanted, version: int, placed: bool, approved: bool, parts: Sequence[ReportedPart]
) -> OrderStatus:
    return order_status(wanted=wanted, version=version, placed=placed, approved=placed and approved, parts=parts)


@given(st.sampled_from(Wanted), st.integers(1, 3), st.booleans(), st.booleans(), parts_of_an_order, st.randoms())
@settings(max_examples=300, deadline=None)
def test_the_sequence_of_reports_does_not_matter(wanted, version, placed, approved, parts, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert any_status(wanted, version, placed, approved, parts) == any_status(
        wanted, version, placed, approved, shuffled
    )


@given(st.sampled_from(Wanted), st.integers(1, 3), st.booleans(), st.booleans(), parts_of_an_order)
@settings(max_examples=300, deadline=None)
def test_what_holds_for_every_order(wanted, version, placed, approved, parts) -> None:  # type: ignore[no-untyped-def]
    found = any_status(wanted, version, placed, approved, parts)
    states = {report.part: report.state for report in parts if report.version == version}
    if found.state is State.ATTENTION:
        assert found.needs_attention
        assert PartState.FAILED in states.values()
        assert found.reason.partition(":")[0] in {str(part.label) for part in Part}
    if found.state is State.DEGRADED:
        assert found.needs_attention
    if found.state is State.REMOVED:
        assert wanted is REMOVED
        assert all(report.state is PartState.REMOVED for report in parts)
    if wanted is REMOVED:
        assert found.state in (State.REMOVED, State.REMOVING, State.ATTENTION)
    if found.state is State.ACTIVE and wanted is RUNNING:
        assert all(states.get(part) in ARRIVED for part in REQUIRED)
    if found.state is not State.DEGRADED and not (found.state is State.ACTIVE and wanted is RUNNING):
        assert found.reason


@given(parts_of_an_order, st.sampled_from(Part), st.sampled_from(PartState))
@settings(max_examples=200, deadline=None)
def test_what_lets_others_move_is_never_work_in_progress(parts, part, state) -> None:  # type: ignore[no-untyped-def]
    changed = [report for report in parts if report.part is not part]
    before = [may_move(other, wanted=RUNNING, version=1, parts=changed) for other in Part]
    report = ReportedPart(part=part, state=state, version=1)
    after = [may_move(other, wanted=RUNNING, version=1, parts=[*changed, report]) for other in Part]
    assert before == after or lets_others_move(part, state)


@given(parts_of_an_order, st.sampled_from(Part), st.sampled_from(PartState), st.sampled_from(PartState))
@settings(max_examples=200, deadline=None)
def test_whoever_may_leave_after_a_move_was_waiting_for_it(parts, part, former, state) -> None:  # type: ignore[no-untyped-def]
    others = [report for report in parts if report.part is not part]
    before, after = (
        {
            other
            for other in Part
            if may_move(other, wanted=REMOVED, version=1, parts=[*others, ReportedPart(part=part, state=at, version=1)])
        }
        for at in (former, state)
    )
    assert after <= before or lets_others_move(part, state)
