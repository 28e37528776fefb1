"""What is allowed in which state: the one table that services, admin, API and portal go by. Pure values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import Refusal
from orders.choices import OrderAction, State, Wanted

SUSPENDABLE = (State.ACTIVE, State.DEGRADED, State.PROVISIONING, State.ATTENTION)
# A release may be what mends an order that needs attention.
CHANGEABLE = (State.ACTIVE, State.DEGRADED, State.ATTENTION)


class OrderActionNotPossible(Refusal):
    """The state of the order does not allow this."""

    code = "not_possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All of an order that decides what is allowed."""

    state: State
    wanted: Wanted
    needs_attention: bool
    is_changing: bool = False
    """A change of its release, plan or settings is in progress."""
    was_active: bool = True
    """Its services have run before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an action is allowed, and the sentence that refuses it otherwise."""

    allows: Callable[[Situation], bool]
    refusal: str | Promise


def _is_changeable(order: Situation) -> bool:
    is_running = order.wanted is Wanted.RUNNING and order.state in CHANGEABLE and order.was_active
    return is_running and not order.is_changing


RULES: Mapping[OrderAction, Rule] = {
    OrderAction.EDIT: Rule(
        allows=lambda order: order.state is State.DRAFT,
        refusal=_("Only a draft can be edited."),
    ),
    OrderAction.PLACE: Rule(
        allows=lambda order: order.state is State.DRAFT,
        refusal=_("This order has already been placed."),
    ),
    OrderAction.APPROVE: Rule(
        allows=lambda order: order.state is State.PENDING,
        refusal=_("Only an order that is pending approval can be approved."),
    ),
    OrderAction.SUSPEND: Rule(
        allows=lambda order: order.wanted is Wanted.RUNNING and order.state in SUSPENDABLE,
        refusal=_("Only a running order can be suspended."),
    ),
    OrderAction.RESUME: Rule(
        allows=lambda order: order.wanted is Wanted.SUSPENDED,
        refusal=_("Only a suspended order can be resumed."),
    ),
    OrderAction.RETRY: Rule(
        allows=lambda order: order.needs_attention and order.state is not State.PENDING,
        refusal=_("There is nothing to retry: no component of this order has failed."),
    ),
    OrderAction.REMOVE: Rule(
        allows=lambda order: order.wanted is not Wanted.REMOVED,
        refusal=_("This order is being removed already, or has been removed."),
    ),
    OrderAction.UPGRADE: Rule(
        allows=_is_changeable,
        refusal=_("Only a running order can be upgraded, and only while no other change is in progress."),
    ),
    OrderAction.ROLL_BACK: Rule(
        allows=lambda order: _is_changeable(order) or (order.is_changing and order.wanted is Wanted.RUNNING),
        refusal=_("Only a running order can be rolled back."),
    ),
    OrderAction.CHANGE_PLAN: Rule(
        allows=_is_changeable,
        refusal=_("The plan of a running order can be changed while no other change is in progress."),
    ),
    OrderAction.CHANGE_INPUTS: Rule(
        allows=_is_changeable,
        refusal=_("The settings of a running order can be changed while no other change is in progress."),
    ),
    OrderAction.ROTATE_SECRETS: Rule(
        allows=_is_changeable,
        refusal=_("The secrets of a running order can be renewed while no other change is in progress."),
    ),
}


def is_allowed(action: OrderAction, situation: Situation) -> bool:
    """True when the services will not refuse `action` in this situation."""
    return RULES[action].allows(situation)
