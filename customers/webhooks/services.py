"""Webhooks are registered, changed and tested; events are written for those that want them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from core import clock
from core.address_policy import address_guard
from core.engine.controller import enqueue_rows, want
from core.errors import Refusal
from core.outside.webhook_post import new_secret
from core.text.plain_text import is_plain_text
from customers.choices import EventKind, selectable_events
from customers.models import Customer, EventDelivery, User, Webhook

CONTROLLER = "webhook delivery"
WEBHOOKS_PER_CUSTOMER = 20
BOTH_SECRETS_FOR = timedelta(hours=24)
REPLAYED_AT_ONCE = 1000


class WebhookRefused(Refusal):
    """The webhook cannot be like this."""

    code = "webhook_refused"


class NothingToReplay(Refusal):
    """No delivery has failed."""

    code = "nothing_to_replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a customer; `facts` is what the receiver reads about it."""

    customer_id: int
    kind: EventKind
    facts: Mapping[str, Any]


def publish(events: Iterable[Event]) -> int:
    """The events are written for every webhook that wants them; call it in the transaction of the change.

    One query when nobody listens. Returns how many deliveries there are.
    """
    events = list(events)
    customers = {event.customer_id for event in events}
    if not customers:
        return 0
    listeners = list(Webhook.objects.filter(Q(customer=None) | Q(customer__in=customers), is_active=True))
    if not listeners:
        return 0
    numbers = dict(Customer.objects.filter(pk__in=customers).values_list("pk", "number"))
    rows = [
        delivery
        for event in events
        for delivery in _deliveries(event, numbers[event.customer_id], _wanting(event, listeners))
    ]
    return len(_store(rows))


@transaction.atomic
def create_webhook(
    *,
    name: str,
    url: str,
    customer: Customer | None = None,
    events: Sequence[str] = (),
    actor: User | None = None,
) -> Webhook:
    """A new webhook with a secret of its own, for one customer or, without one, for all."""
    check_url(url)
    if customer is not None:
        Customer.objects.select_for_update().get(pk=customer.pk)
        if customer.webhooks.count() >= WEBHOOKS_PER_CUSTOMER:
            message = _("A customer can have %(count)s webhooks. Delete one that is not used any more.")
            raise WebhookRefused(message % {"count": WEBHOOKS_PER_CUSTOMER})
    return Webhook.objects.create(
        customer=customer,
        name=_clean_name(name),
        url=url,
        events=clean_events(events),
        secret=new_secret(),
        created_by=actor,
    )


@transaction.atomic
def change_webhook(
    *,
    webhook: Webhook,
    name: str | None = None,
    url: str | None = None,
    events: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> Webhook:
    """What is given of the webhook is changed. Switched on again, it is as good as new."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    if url is not None:
        check_url(url)
        row.url = url
    if name is not None:
        row.name = _clean_name(name)
    if events is not None:
        row.events = clean_events(events)
    if is_active is not None:
        row.is_active = is_active
        row.inactive_reason, row.failing_since = "", None
    row.save()
    return row


def delete_webhook(*, webhook: Webhook) -> None:
    """The webhook is gone, with its deliveries."""
    webhook.delete()


@transaction.atomic
def rotate_secret(*, webhook: Webhook) -> Webhook:
    """The webhook has a new secret; for a day messages are signed with the previous one as well."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    row.previous_secret, row.previous_secret_until = row.secret, clock.now() + BOTH_SECRETS_FOR
    row.secret = new_secret()
    row.save(update_fields=("secret", "previous_secret", "previous_secret_until", "updated_at"))
    return row


@transaction.atomic
def send_test(*, webhook: Webhook) -> EventDelivery:
    """A test event is sent, once, to see whether the receiver takes it."""
    facts = {"message": "A test of your webhook.", "webhook": webhook.pk}
    customer = webhook.customer
    event = Event(customer_id=customer.pk if customer else 0, kind=EventKind.WEBHOOK_TEST, facts=facts)
    (delivery,) = _store(_deliveries(event, customer.number if customer else None, [webhook]))
    return delivery


@transaction.atomic
def replay(*, webhook: Webhook, deliveries: Sequence[int] = ()) -> int:
    """Deliveries that failed for good are sent again: those named, or all; returns how many."""
    rows = webhook.deliveries.failed()
    if deliveries:
        rows = rows.filter(pk__in=deliveries)
    found = list(rows.order_by("pk").values_list("pk", "wanted_version")[:REPLAYED_AT_ONCE])
    if not found:
        raise NothingToReplay(_("Only deliveries that failed can be sent again."))
    for pk, version in found:
        want(EventDelivery.objects.filter(pk=pk), version + 1, tries=0)
    enqueue_rows(CONTROLLER, [pk for pk, _version in found])
    return len(found)


def check_url(url: str) -> None:
    """Raises WebhookRefused unless events may be sent to `url`; a name is judged again whenever it is resolved."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise WebhookRefused(_("Enter a web address, such as https://example.org/hook."), field="url") from error
    allowed = ("https", "http") if settings.WEBHOOKS_OVER_HTTP else ("https",)
    if parts.scheme not in allowed or not host or not is_plain_text(url) or any(map(str.isspace, url)):
        raise WebhookRefused(_("Enter a web address that begins with https://."), field="url")
    if parts.username or parts.password:
        raise WebhookRefused(_("The address must not contain a user name or password."), field="url")
    if not address_guard().allows_host(host):
        raise WebhookRefused(_("This address is in a private network. Use a public one."), field="url")


def clean_events(events: Iterable[str]) -> list[str]:
    """The kinds in a fixed sequence, each once; raises WebhookRefused for one that does not exist."""
    kinds, asked = [kind for kind, _label in selectable_events()], set(events)
    if unknown := sorted(asked - set(kinds)):
        message = _("There is no such event: %(events)s.")
        raise WebhookRefused(message % {"events": ", ".join(unknown)}, field="events")
    return [kind for kind in kinds if kind in asked]


def _clean_name(name: str) -> str:
    if not name.strip():
        raise WebhookRefused(_("Enter a name."), field="name")
    return name.strip()[:100]


def _wanting(event: Event, webhooks: Iterable[Webhook]) -> list[Webhook]:
    """Those of the event's own customer and of staff that want events of its kind."""
    owners = (None, event.customer_id)
    return [webhook for webhook in webhooks if webhook.customer_id in owners and webhook.sends(event.kind)]


def _deliveries(event: Event, number: str | None, webhooks: Iterable[Webhook]) -> list[EventDelivery]:
    now, event_id = clock.now(), f"evt_{get_random_string(24)}"
    body = {"type": event.kind.value, "timestamp": now.isoformat(), "data": {"customer": number, **event.facts}}
    text = json.dumps(body, ensure_ascii=False)
    return [
        EventDelivery(
            webhook=webhook, event_id=event_id, kind=event.kind, body=text, occurred_at=now, next_attempt_at=now
        )
        for webhook in webhooks
    ]


def _store(deliveries: Sequence[EventDelivery]) -> list[EventDelivery]:
    rows = EventDelivery.objects.bulk_create(deliveries)
    enqueue_rows(CONTROLLER, [row.pk for row in rows])
    return rows
