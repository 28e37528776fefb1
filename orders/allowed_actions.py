"""What may be asked of an order as it stands: for buttons. orders.services refuses by the same rules. Pure values."""

from __future__ import annotations

from enum import StrEnum

from orders.choices import State, Wanted

RUNNING = (State.ACTIVE, State.DEGRADED, State.PROVISIONING, State.ATTENTION)


class Verb(StrEnum):
    """What can be asked."""

    EDIT = "edit"
    PLACE = "place"
    APPROVE = "approve"
    SUSPEND = "suspend"
    RESUME = "resume"
    RETRY = "retry"
    REMOVE = "remove"


def may_ask(verb: Verb, *, state: State, wanted: Wanted, needs_person: bool) -> bool:
    """True when an order that stands so will not refuse `verb`."""
    return {
        Verb.EDIT: state is State.DRAFT,
        Verb.PLACE: state is State.DRAFT,
        Verb.APPROVE: state is State.PENDING,
        Verb.SUSPEND: wanted is Wanted.RUNNING and state in RUNNING,
        Verb.RESUME: wanted is Wanted.SUSPENDED,
        Verb.RETRY: needs_person and state is not State.PENDING,
        Verb.REMOVE: wanted is not Wanted.REMOVED,
    }[verb]
