"""Which colour staff see a state in: the words of the admin theme's labels."""

from __future__ import annotations

from collections.abc import Mapping

from orders.choices import PartState, State
from orders.models import Order

OF_STATE: Mapping[str, str] = {
    State.DRAFT: "",
    State.PENDING: "warning",
    State.PROVISIONING: "info",
    State.ACTIVE: "success",
    State.DEGRADED: "danger",
    State.SUSPENDED: "warning",
    State.REMOVING: "info",
    State.REMOVED: "",
    State.ATTENTION: "danger",
}
OF_PART: Mapping[str, str] = {
    PartState.WORKING: "info",
    PartState.READY: "success",
    PartState.DOWN: "danger",
    PartState.MAINTENANCE: "info",
    PartState.SUSPENDED: "warning",
    PartState.REMOVED: "",
    PartState.FAILED: "danger",
}


def colour_state(order: Order) -> State:
    """The state whose colour the order has: one whose services stop has that of suspended ones already."""
    return State.SUSPENDED if order.is_suspending else State(order.state)


def tone_of(order: Order) -> str:
    """The colour of the order's state."""
    return OF_STATE[colour_state(order)]
