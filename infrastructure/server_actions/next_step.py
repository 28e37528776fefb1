"""The next step of a server action, from its goal, the server's state and the last request. No database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from infrastructure.contracts.cloud import Node, NodeState, Power

# A request that shows no effect by then was lost.
REPEAT_AFTER = timedelta(minutes=2)


class Step(StrEnum):
    """A request to the cloud."""

    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    RESIZE = "resize"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRequest:
    """The last request to the cloud, its age, and whether the cloud has acknowledged it."""

    step: Step | None = None
    ago: timedelta = timedelta()
    is_acknowledged: bool = False


class Verdict(StrEnum):
    """What the controller does with a server action."""

    DONE = "done"
    REQUEST = "request"
    WAIT = "wait"
    UNKNOWN = "unknown"
    """A reboot was requested and not acknowledged: repeating the request could cause a second reboot."""
    STOPPED = "stopped"
    """A stopped server cannot be rebooted."""
    BROKEN = "broken"
    """The cloud reports the server in an error state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The verdict, with the step to request if there is one."""

    verdict: Verdict
    step: Step | None = None


DONE, WAIT = Next(verdict=Verdict.DONE), Next(verdict=Verdict.WAIT)
UNKNOWN, BROKEN, STOPPED = (Next(verdict=verdict) for verdict in (Verdict.UNKNOWN, Verdict.BROKEN, Verdict.STOPPED))


def next_of(verb: Power, node: Node, last: LastRequest, *, size_id: str = "", stops_to_resize: bool = False) -> Next:
    """What the server action needs now; a pure function of its arguments."""
    if verb is Power.REBOOT:
        return _reboot(node, last)
    if node.state is NodeState.ERROR:
        return BROKEN
    wanted = _resize(node, size_id, stops_to_resize) if verb is Power.RESIZE else _switch(verb, node)
    if wanted.step is not None and wanted.step is last.step and last.ago < REPEAT_AFTER:
        return WAIT  # requested, but the server does not show it yet
    return wanted


def _switch(verb: Power, node: Node) -> Next:
    goal = NodeState.RUNNING if verb is Power.START else NodeState.STOPPED
    start = NodeState.STOPPED if verb is Power.START else NodeState.RUNNING
    if node.state is goal:
        return DONE
    return Next(verdict=Verdict.REQUEST, step=Step(verb)) if node.state is start else WAIT


def _reboot(node: Node, last: LastRequest) -> Next:
    """Requested at most once: no state of the server shows whether it has been rebooted."""
    if last.step is None:
        if node.state in (NodeState.RUNNING, NodeState.ERROR):  # a reboot repairs some errors
            return Next(verdict=Verdict.REQUEST, step=Step.REBOOT)
        return STOPPED if node.state is NodeState.STOPPED else WAIT
    if not last.is_acknowledged:
        return UNKNOWN
    return DONE if node.state is NodeState.RUNNING else WAIT


def _resize(node: Node, size_id: str, stops_first: bool) -> Next:
    """The size is compared first; in the end the server runs, even if it was stopped before."""
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
