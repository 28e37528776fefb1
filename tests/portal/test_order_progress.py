"""An order's life in words for customers. Pure values."""

from __future__ import annotations

import pytest

from live.portal.order_progress import STATES, TONES, standing
from orders.choices import Part, PartState, State, Wanted
from orders.lifecycle import PartSeen


def seen(*states: tuple[Part, PartState], version: int = 1) -> list[PartSeen]:
    return [PartSeen(part=part, state=state, version=version, message="detail") for part, state in states]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words_and_a_tone(state: State) -> None:
    wanted = Wanted.REMOVED if state in (State.REMOVING, State.REMOVED) else Wanted.RUNNING
    stands = standing(state=state, wanted=wanted, version=1, seen=[])
    assert stands.headline
    assert stands.reason
    assert stands.label == STATES[state]
    assert stands.tone == TONES[state]


def test_the_first_part_that_is_not_there_is_the_one_being_worked_on() -> None:
    stands = standing(
        state=State.PROVISIONING, wanted=Wanted.RUNNING, version=1, seen=seen((Part.SERVER, PartState.READY))
    )
    assert [step.look for step in stands.steps] == ["done", "working", "waiting", "waiting", "waiting"]
    assert stands.headline == "We are starting your services"
    assert stands.look_again == 2


def test_news_of_an_older_wish_counts_as_still_to_come() -> None:
    stands = standing(
        state=State.PROVISIONING, wanted=Wanted.RUNNING, version=2, seen=seen((Part.SERVER, PartState.READY))
    )
    assert [step.look for step in stands.steps][:2] == ["working", "waiting"]


def test_what_failed_is_not_explained_to_customers() -> None:
    stands = standing(
        state=State.ATTENTION, wanted=Wanted.RUNNING, version=1, seen=seen((Part.SERVER, PartState.FAILED))
    )
    assert (stands.steps[0].look, stands.steps[0].detail) == ("failed", "")
    assert stands.look_again == 0


def test_on_removal_only_what_was_there_is_shown() -> None:
    parts = seen((Part.SERVER, PartState.READY), (Part.COMPOSITION, PartState.REMOVED))
    stands = standing(state=State.REMOVING, wanted=Wanted.REMOVED, version=2, seen=parts)
    assert [(step.part, step.look) for step in stands.steps] == [(Part.COMPOSITION, "done"), (Part.SERVER, "working")]


def test_maintenance_under_way_is_the_headline_whatever_is_down_meanwhile() -> None:
    for state in (State.ACTIVE, State.DEGRADED):
        stands = standing(
            state=state,
            wanted=Wanted.RUNNING,
            version=1,
            seen=seen((Part.MONITORING, PartState.RESTING)),
            resting_until="14:30 CEST",
        )
        assert stands.headline == "Under maintenance until 14:30 CEST"
        assert (stands.label, stands.tone) == ("Under maintenance", "wait")
        assert [step.detail for step in stands.steps if step.part is Part.MONITORING] == [""]
    stands = standing(state=State.SUSPENDED, wanted=Wanted.SUSPENDED, version=1, seen=[], resting_until="14:30 CEST")
    assert stands.headline == "Your services are suspended"
