"""Which changes of an order are sent to its customer: by mail, and to webhooks. Only rows are written here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.conf import settings
from django.db.models import prefetch_related_objects

from customers.choices import Ability, EventKind, MailKind
from customers.models import User
from customers.services import write_message
from customers.webhooks.services import Event, publish
from orders.choices import ChangeKind, ChangeState, State
from orders.models import Order, OrderChange, OrderEvent

MAIL_OF_STATE: Mapping[State, str] = {
    State.PENDING: "pending",
    State.PROVISIONING: "started",
    State.ACTIVE: "active",
    State.SUSPENDED: "suspended",
    State.REMOVED: "removed",
}

KIND_OF_MAIL: Mapping[str, MailKind] = {
    "pending": MailKind.PLACED,
    "started": MailKind.STARTED,
    "active": MailKind.ACTIVE,
    "suspended": MailKind.SUSPENDED,
    "resumed": MailKind.RESUMED,
    "removed": MailKind.REMOVAL,
}


EVENTS_OF_STATE = frozenset(State) - {State.DRAFT}

EVENT_OF_CHANGE: Mapping[ChangeKind, EventKind] = {
    ChangeKind.UPGRADE: EventKind.ORDER_UPGRADED,
    ChangeKind.ROLLBACK: EventKind.ORDER_UPGRADED,
    ChangeKind.PLAN: EventKind.ORDER_PLAN_CHANGED,
}


def notify_customers(orders: Sequence[Order], never_active: Collection[int]) -> None:
    """One mail for each of `orders` that has reached a state worth a mail, however often it is asked.

    `never_active` holds the keys of orders that had not been active before this change.
    """
    placed = [order for order in orders if order.placed_at is not None]
    mails = {order.pk: _mail_of(order, is_first=order.pk in never_active) for order in placed}
    notified = [order for order in placed if mails[order.pk]]
    prefetch_related_objects(notified, "customer")
    for order in notified:
        mail = mails[order.pk]
        version = "" if mail == "started" else f":{order.wanted_version}"
        write_message(
            key=f"order:{order.reference}:{mail}{version}",
            customer=order.customer,
            kind=KIND_OF_MAIL[mail],
            template=f"orders/mail/{mail}",
            context={"order": order},
        )


def notify_approved(order: Order) -> None:
    """Whoever wants to know is told that staff have approved the order."""
    write_message(
        key=f"order:{order.reference}:approved",
        customer=order.customer,
        kind=MailKind.APPROVED,
        template="orders/mail/approved",
        context={"order": order},
    )


def notify_draft(order: Order, author: User | None) -> None:
    """Who can place the order is told that a colleague who cannot has prepared it."""
    if author is None or author.is_staff or author.may(Ability.ORDER, order.customer):
        return
    write_message(
        key=f"order:{order.reference}:draft",
        customer=order.customer,
        kind=MailKind.NEEDS_YOU,
        template="orders/mail/draft",
        context={"order": order, "author": author},
    )


def publish_states(orders: Sequence[Order]) -> None:
    """The webhooks that want it are sent the state that each of `orders` has just reached; a draft is no event."""
    kinds = {order.pk: f"order.{order.state}" for order in orders if order.state in EVENTS_OF_STATE}
    publish(
        Event(
            customer_id=order.customer_id,
            kind=EventKind(kinds[order.pk]),
            facts={**_facts(order), "state": order.state, "wanted": order.wanted},
        )
        for order in orders
        if order.pk in kinds
    )


def publish_change(change: OrderChange) -> None:
    """The webhooks that want it are sent that a release or plan has arrived, or that a change was taken back."""
    if change.state == ChangeState.REVERTED:
        kind, release, plan = EventKind.ORDER_CHANGE_REVERTED, change.from_release, change.from_plan
    elif change.state == ChangeState.APPLIED and change.kind in EVENT_OF_CHANGE:
        kind, release, plan = EVENT_OF_CHANGE[ChangeKind(change.kind)], change.to_release, change.to_plan
    else:
        return
    facts = {**_facts(change.order), "change": change.kind, "release": release.version, "plan": plan.slug}
    publish([Event(customer_id=change.order.customer_id, kind=kind, facts=facts)])


def _facts(order: Order) -> dict[str, object]:
    return {
        "order": order.reference,
        "name": order.name,
        "sandbox": order.is_sandbox,
        "url": f"{settings.SITE_URL}/api/v1/orders/{order.reference}/",
    }


def _mail_of(order: Order, *, is_first: bool) -> str:
    """The name of the mail for the state just reached, or nothing. Recovering from degraded is no news by mail."""
    mail = MAIL_OF_STATE.get(State(order.state), "")
    if mail == "started" and not is_first:
        return ""
    if mail == "active" and not is_first:
        return "resumed" if _was_suspended(order) else ""
    return mail


def _was_suspended(order: Order) -> bool:
    last = OrderEvent.objects.filter(order=order, part="", state__in=(State.SUSPENDED, State.ACTIVE)).last()
    return last is not None and last.state == State.SUSPENDED
