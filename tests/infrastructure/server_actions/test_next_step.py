"""The next step of a server action: every state of a server against every action."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infrastructure.contracts.cloud import Node, NodeState, Power
from infrastructure.server_actions.next_step import REPEAT_AFTER, LastRequest, Next, Step, Verdict, next_of

SOON, LATE = timedelta(seconds=5), REPEAT_AFTER


def node(state: NodeState, size: str = "small") -> Node:
    return Node(outside_id="i-1", key="live-GL7K3M", state=state, address="192.0.2.1", size=size)


def requested(step: Step, *, ago: timedelta = SOON, is_acknowledged: bool = True) -> LastRequest:
    return LastRequest(step=step, ago=ago, is_acknowledged=is_acknowledged)


@pytest.mark.parametrize(
    ("verb", "state", "verdict", "step"),
    [
        (Power.START, NodeState.RUNNING, Verdict.DONE, None),
        (Power.START, NodeState.STOPPED, Verdict.REQUEST, Step.START),
        (Power.START, NodeState.STOPPING, Verdict.WAIT, None),
        (Power.START, NodeState.BUILDING, Verdict.WAIT, None),
        (Power.START, NodeState.UNKNOWN, Verdict.WAIT, None),
        (Power.START, NodeState.ERROR, Verdict.BROKEN, None),
        (Power.STOP, NodeState.STOPPED, Verdict.DONE, None),
        (Power.STOP, NodeState.RUNNING, Verdict.REQUEST, Step.STOP),
        (Power.STOP, NodeState.STOPPING, Verdict.WAIT, None),
        (Power.STOP, NodeState.BUILDING, Verdict.WAIT, None),
        (Power.STOP, NodeState.ERROR, Verdict.BROKEN, None),
        (Power.REBOOT, NodeState.RUNNING, Verdict.REQUEST, Step.REBOOT),
        (Power.REBOOT, NodeState.ERROR, Verdict.REQUEST, Step.REBOOT),
        (Power.REBOOT, NodeState.BUILDING, Verdict.WAIT, None),
        (Power.REBOOT, NodeState.STOPPED, Verdict.STOPPED, None),
    ],
)
def test_the_next_request_depends_on_the_servers_state(
    verb: Power, state: NodeState, verdict: Verdict, step: Step | None
) -> None:
    assert next_of(verb, node(state), LastRequest()) == Next(verdict=verdict, step=step)


@pytest.mark.parametrize(
    ("state", "size", "verdict", "step"),
    [
        (NodeState.RUNNING, "small", Verdict.REQUEST, Step.STOP),
        (NodeState.STOPPING, "small", Verdict.WAIT, None),
        (NodeState.STOPPED, "small", Verdict.REQUEST, Step.RESIZE),
        (NodeState.STOPPED, "large", Verdict.REQUEST, Step.START),
        (NodeState.BUILDING, "large", Verdict.WAIT, None),
        (NodeState.RUNNING, "large", Verdict.DONE, None),
        (NodeState.ERROR, "small", Verdict.BROKEN, None),
    ],
)
def test_a_size_is_changed_between_a_stop_and_a_start(
    state: NodeState, size: str, verdict: Verdict, step: Step | None
) -> None:
    result = next_of(Power.RESIZE, node(state, size), LastRequest(), size_id="large", stops_to_resize=True)
    assert result == Next(verdict=verdict, step=step)


@pytest.mark.parametrize(
    ("state", "size", "verdict", "step"),
    [
        (NodeState.RUNNING, "small", Verdict.REQUEST, Step.RESIZE),
        (NodeState.BUILDING, "small", Verdict.WAIT, None),
        (NodeState.RESIZED, "large", Verdict.REQUEST, Step.CONFIRM),
        (NodeState.RESIZED, "other", Verdict.WAIT, None),
        (NodeState.RUNNING, "large", Verdict.DONE, None),
    ],
)
def test_a_cloud_that_resizes_running_servers_gets_a_confirmation(
    state: NodeState, size: str, verdict: Verdict, step: Step | None
) -> None:
    assert next_of(Power.RESIZE, node(state, size), LastRequest(), size_id="large") == Next(verdict=verdict, step=step)


def test_a_request_without_visible_effect_is_not_repeated_at_once() -> None:
    running = node(NodeState.RUNNING)
    assert next_of(Power.STOP, running, requested(Step.STOP)).verdict is Verdict.WAIT
    assert next_of(Power.STOP, running, requested(Step.STOP, ago=LATE)).step is Step.STOP
    assert next_of(Power.STOP, running, requested(Step.START)).step is Step.STOP


def test_a_reboot_is_requested_once_in_every_state() -> None:
    assert next_of(Power.REBOOT, node(NodeState.RUNNING), requested(Step.REBOOT)).verdict is Verdict.DONE
    assert next_of(Power.REBOOT, node(NodeState.BUILDING), requested(Step.REBOOT)).verdict is Verdict.WAIT
    for state in NodeState:
        for ago in (SOON, LATE, timedelta(days=1)):
            lost = next_of(Power.REBOOT, node(state), requested(Step.REBOOT, ago=ago, is_acknowledged=False))
            assert lost.verdict is Verdict.UNKNOWN
            assert next_of(Power.REBOOT, node(state), requested(Step.REBOOT, ago=ago)).step is None
