"""What may be asked of an order as it stands: for buttons. orders.services refuses by the same rules. Pure values."""

from __future__ import annotations

from enum import StrEnum

from orders.choices import State, Wanted

RUNNING = (State.ACTIVE, State.DEGRADED, State.PROVISIONING, State.ATTENTION)


class OrderAction(StrEnum):
    """What can be asked."""

    EDIT = "edit"
    PLACE = "place"
    APPROVE = "approve"
    SUSPEND = "suspend"
    RESUME = "resume"
    RETRY = "retry"
    REMOVE = "remove"


def is_allowed(action: OrderAction, *, state: State, wanted: Wanted, needs_attention: bool) -> bool:
    """True when an order that stands so will not refuse `action`."""
    return {
        OrderAction.EDIT: state is State.DRAFT,
        OrderAction.PLACE: state is State.DRAFT,
        OrderAction.APPROVE: state is State.PENDING,
        OrderAction.SUSPEND: wanted is Wanted.RUNNING and state in RUNNING,
        OrderAction.RESUME: wanted is Wanted.SUSPENDED,
        OrderAction.RETRY: needs_attention and state is not State.PENDING,
        OrderAction.REMOVE: wanted is not Wanted.REMOVED,
    }[action]
