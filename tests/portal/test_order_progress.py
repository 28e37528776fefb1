"""An order's life in words for customers. Pure values."""

from __future__ import annotations

import pytest

from live.portal.order_progress import STATES, TONES, progress_of
from orders.choices import Part, PartState, State, Wanted
from orders.lifecycle import ReportedPart


def reports(*states: tuple[Part, PartState], version: int = 1) -> list[ReportedPart]:
    return [ReportedPart(part=part, state=state, version=version, message="detail") for part, state in states]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words_and_a_tone(state: State) -> None:
    wanted = Wanted.REMOVED if state in (State.REMOVING, State.REMOVED) else Wanted.RUNNING
    progress = progress_of(state=state, wanted=wanted, version=1, parts=[])
    assert progress.headline
    assert progress.reason
    assert progress.label == STATES[state]
    assert progress.tone == TONES[state]


def test_the_first_part_that_is_not_there_is_the_one_being_worked_on() -> None:
    progress = progress_of(
        state=State.PROVISIONING, wanted=Wanted.RUNNING, version=1, parts=reports((Part.SERVER, PartState.READY))
    )
    assert [step.look for step in progress.steps] == ["done", "working", "waiting", "waiting", "waiting"]
    assert progress.headline == "We are starting your services"
    assert progress.refresh_after == 2


def test_news_of_an_older_wish_counts_as_still_to_come() -> None:
    progress = progress_of(
        state=State.PROVISIONING, wanted=Wanted.RUNNING, version=2, parts=reports((Part.SERVER, PartState.READY))
    )
    assert [step.look for step in progress.steps][:2] == ["working", "waiting"]


@pytest.mark.parametrize("state", [State.ACTIVE, State.SUSPENDED])
def test_the_server_stays_as_it_was_when_services_are_suspended(state: State) -> None:
    parts = [
        *reports((Part.SERVER, PartState.READY)),
        *reports((Part.COMPOSITION, PartState.SUSPENDED), version=2),
    ]
    progress = progress_of(state=state, wanted=Wanted.SUSPENDED, version=2, parts=parts)
    assert [(step.look, step.status) for step in progress.steps[:2]] == [("done", "Ready"), ("paused", "Suspended")]


def test_what_failed_is_not_explained_to_customers() -> None:
    progress = progress_of(
        state=State.ATTENTION, wanted=Wanted.RUNNING, version=1, parts=reports((Part.SERVER, PartState.FAILED))
    )
    assert (progress.steps[0].look, progress.steps[0].detail) == ("failed", "")
    assert progress.refresh_after == 0


def test_on_removal_only_what_was_there_is_shown() -> None:
    parts = reports((Part.SERVER, PartState.READY), (Part.COMPOSITION, PartState.REMOVED))
    progress = progress_of(state=State.REMOVING, wanted=Wanted.REMOVED, version=2, parts=parts)
    assert [(step.part, step.look) for step in progress.steps] == [(Part.COMPOSITION, "done"), (Part.SERVER, "working")]


def test_order_that_is_being_suspended_is_not_called_active_above_that() -> None:
    progress = progress_of(state=State.ACTIVE, wanted=Wanted.SUSPENDED, version=2, parts=[])
    assert (progress.label, progress.tone) == ("Suspending", "wait")
    assert progress.headline == "We are suspending your services"
    resumed = progress_of(state=State.ACTIVE, wanted=Wanted.RUNNING, version=3, parts=[])
    assert (resumed.label, resumed.tone) == ("Active", "good")


def test_removed_order_has_no_step_that_is_still_to_come() -> None:
    everything = reports(*((part, PartState.REMOVED) for part in Part), version=2)
    progress = progress_of(state=State.REMOVED, wanted=Wanted.REMOVED, version=2, parts=everything)
    assert {step.look for step in progress.steps} == {"done"}
    assert {str(step.status) for step in progress.steps} == {"Removed"}
    never = progress_of(state=State.REMOVED, wanted=Wanted.REMOVED, version=2, parts=[])
    assert never.steps == ()


def test_maintenance_under_way_is_the_headline_whatever_is_down_meanwhile() -> None:
    for state in (State.ACTIVE, State.DEGRADED):
        progress = progress_of(
            state=state,
            wanted=Wanted.RUNNING,
            version=1,
            parts=reports((Part.MONITORING, PartState.MAINTENANCE)),
            maintenance_until="14:30 CEST",
        )
        assert progress.headline == "Under maintenance until 14:30 CEST"
        assert (progress.label, progress.tone) == ("Under maintenance", "wait")
        assert [step.detail for step in progress.steps if step.part is Part.MONITORING] == [""]
    progress = progress_of(
        state=State.SUSPENDED, wanted=Wanted.SUSPENDED, version=1, parts=[], maintenance_until="14:30 CEST"
    )
    assert progress.headline == "Your services are suspended"
