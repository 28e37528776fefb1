"""The people of a run: customers who change their minds, and staff who approve, and retry what failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from core.engine.controller import controllers
from core.errors import Refusal
from orders.changes.services import change_inputs, roll_back_order, rotate_secrets, upgrade_order
from orders.choices import OrderAction, State, Wanted
from orders.models import Order
from orders.services import approve_order, place_order, remove_order, resume_order, retry_order, suspend_order
from products.models import ConfigRepo, Release
from tests.chaos.plan import PlannedLife
from tests.factories import make_draft

T = TypeVar("T")

PATIENCE = 90.0  # seconds for which the database may be away
REFUSED_AFTER = 20.0  # seconds; a wish that the order's state does not allow by then is given up
GOALS = {Wanted.RUNNING: State.ACTIVE, Wanted.SUSPENDED: State.SUSPENDED, Wanted.REMOVED: State.REMOVED}


def patiently(ask: Callable[[], T]) -> T:
    """The answer to `ask`, which is asked again while the database is away, as a person does."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def orders_of(lives: Iterable[Life]) -> dict[int, Order]:
    """The orders that have been placed, as they are now, by their key; one query for all."""
    pks = [life.pk for life in lives if life.pk]
    return patiently(lambda: {order.pk: order for order in Order.objects.filter(pk__in=pks)})


def never_synced() -> ConfigRepo:
    """The config-repo of products that are made by hand: a sync of the site's own takes those without one as gone."""
    return ConfigRepo.objects.get_or_create(name="By hand", defaults={"is_enabled": False})[0]


class Life:
    """One order: what is asked of it, and what was wanted last."""

    def __init__(self, planned: PlannedLife, releases: list[Release], order_fields: dict[str, Any]) -> None:
        self._planned, self._releases = planned, releases
        self._verbs = list(planned.verbs)
        self._fields = order_fields
        self._refused_since: float | None = None
        self.pk = 0
        self.wanted = Wanted.RUNNING
        self.was_retried = 0

    def live_on(self, seconds: float, asked: Counter[str], order: Order | None) -> None:
        """At `seconds` of the run, whoever has a wish for this order, as it was a moment ago, has asked for it."""
        if order is None:
            if not self.pk and seconds >= self._planned.placed_at:
                self._place()
                asked["place"] += 1
        elif order.state == State.PENDING:
            self._ask(lambda: approve_order(order=self.order()))
        elif order.needs_attention:
            assert order.reason, f"{order.reference} needs attention and does not say why"
            self.was_retried += self._ask(lambda: retry_order(order=self.order()))
        elif self._verbs:
            self._ask_next(order, asked)

    def order(self) -> Order:
        """The order as it is now."""
        return patiently(lambda: Order.objects.select_related("release", "plan", "customer").get(pk=self.pk))

    @property
    def open_wishes(self) -> int:
        """How many wishes nobody has been able to ask for."""
        return len(self._verbs)

    def is_over(self, order: Order | None) -> bool:
        """True once nothing more will be asked, and the order is where it is wanted."""
        if order is None or self._verbs:
            return False
        return _is_calm(order) and order.state == GOALS[self.wanted] and not order.needs_attention

    def _place(self) -> None:
        """A draft whose creation was lost with the database is created again: by its name there is one."""
        draft = patiently(self._draft)
        self._ask(lambda: place_order(order=draft))
        self.pk = draft.pk

    def _draft(self) -> Order:
        return Order.objects.filter(name=self._fields["name"]).first() or make_draft(**self._fields)

    def _ask_next(self, order: Order, asked: Counter[str]) -> None:
        verb, is_hasty = self._verbs[0]
        if not (is_hasty or _is_calm(order)):
            return
        order = self.order()
        if not order.allows(verb):
            self._refused_since = self._refused_since or time.monotonic()
            if time.monotonic() - self._refused_since < REFUSED_AFTER:
                return
        elif self._ask(lambda: self._act(order, verb)):
            asked[verb] += 1
        self._refused_since = None
        self._verbs.pop(0)

    def _act(self, order: Order, verb: OrderAction) -> Order:
        match verb:
            case OrderAction.UPGRADE:
                others = [release for release in self._releases if release.pk != order.release_id]
                return upgrade_order(order=order, release=others[-1])
            case OrderAction.ROLL_BACK:
                return roll_back_order(order=order)
            case OrderAction.CHANGE_INPUTS:
                return change_inputs(order=order, inputs={"title": f"Maps {len(self._verbs)} {time.monotonic()}"})
            case OrderAction.ROTATE_SECRETS:
                return rotate_secrets(order=order)
            case OrderAction.SUSPEND:
                return suspend_order(order=order)
            case OrderAction.RESUME:
                return resume_order(order=order)
            case _:
                return remove_order(order=order)

    def _ask(self, act: Callable[[], Order]) -> bool:
        """True if it was not refused; a wish whose answer was lost with the database is refused when repeated."""
        try:
            patiently(act)
        except Refusal:
            return False
        finally:
            if self.pk:
                self.wanted = Wanted(self.order().wanted)
        return True


def _is_calm(order: Order) -> bool:
    """True when the order has arrived somewhere; the change of a suspended order waits for its resumption."""
    return order.state in GOALS.values() and (not order.is_changing or order.wanted == Wanted.SUSPENDED)


def is_quiet() -> bool:
    """True when no row of any room has anything left to do."""
    return not any(controller.model._default_manager.unsettled().exists() for controller in controllers())
