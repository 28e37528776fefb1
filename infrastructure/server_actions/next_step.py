"""What comes next on a server action, from what is asked, what is seen and what was told. Pure values, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from infrastructure.contracts.cloud import Node, NodeState, Power

# A cloud that shows nothing of what it was told by then has lost it, or never got it.
REPEAT_AFTER = timedelta(minutes=2)


class Step(StrEnum):
    """One thing that a cloud is told."""

    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    RESIZE = "resize"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRequest:
    """What the cloud was told last, how long ago, and whether it has answered."""

    step: Step | None = None
    ago: timedelta = timedelta()
    is_acknowledged: bool = False


class Verdict(StrEnum):
    """Where a server action stands."""

    DONE = "done"
    REQUEST = "request"
    WAIT = "wait"
    UNKNOWN = "unknown"
    """A reboot was told and no answer came: nobody knows, and telling again could be a second one."""
    STOPPED = "stopped"
    """A server that stands still cannot be rebooted."""
    BROKEN = "broken"
    """The cloud says that the server is in error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What is to be done now; `step` is what to tell."""

    verdict: Verdict
    step: Step | None = None


DONE, WAIT = Next(verdict=Verdict.DONE), Next(verdict=Verdict.WAIT)
UNKNOWN, BROKEN, STOPPED = (Next(verdict=one) for one in (Verdict.UNKNOWN, Verdict.BROKEN, Verdict.STOPPED))


def next_of(verb: Power, node: Node, told: LastRequest, *, size_id: str = "", stops_to_resize: bool = False) -> Next:
    """What the server action needs now; the same answer for the same world, however often it is asked."""
    if verb is Power.REBOOT:
        return _reboot(node, told)
    if node.state is NodeState.ERROR:
        return BROKEN
    wanted = _resize(node, size_id, stops_to_resize) if verb is Power.RESIZE else _switch(verb, node)
    if wanted.step is not None and wanted.step is told.step and told.ago < REPEAT_AFTER:
        return WAIT  # it is at it, though it does not show yet
    return wanted


def _switch(verb: Power, node: Node) -> Next:
    goal = NodeState.RUNNING if verb is Power.START else NodeState.STOPPED
    start = NodeState.STOPPED if verb is Power.START else NodeState.RUNNING
    if node.state is goal:
        return DONE
    return Next(verdict=Verdict.REQUEST, step=Step(verb)) if node.state is start else WAIT


def _reboot(node: Node, told: LastRequest) -> Next:
    """Told at most once: no state of the server says whether it was rebooted already."""
    if told.step is None:
        if node.state in (NodeState.RUNNING, NodeState.ERROR):  # a reboot is what mends some errors
            return Next(verdict=Verdict.REQUEST, step=Step.REBOOT)
        return STOPPED if node.state is NodeState.STOPPED else WAIT
    if not told.is_acknowledged:
        return UNKNOWN
    return DONE if node.state is NodeState.RUNNING else WAIT


def _resize(node: Node, size_id: str, stops_first: bool) -> Next:
    """The size is looked at first; in the end the server runs, whatever it did before."""
    running, stopped = node.state is NodeState.RUNNING, node.state is NodeState.STOPPED
    if node.size == size_id:
        if node.state is NodeState.RESIZED:
            return Next(verdict=Verdict.REQUEST, step=Step.CONFIRM)
        if stopped:
            return Next(verdict=Verdict.REQUEST, step=Step.START)
        return DONE if running else WAIT
    if running and stops_first:
        return Next(verdict=Verdict.REQUEST, step=Step.STOP)
    return Next(verdict=Verdict.REQUEST, step=Step.RESIZE) if running or stopped else WAIT
