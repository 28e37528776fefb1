"""Events are sent to webhooks, each until it was taken; what is not taken in three days waits for a replay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from core import clock
from core.address_policy import address_guard
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, OutcomeKind, done, failed, retry
from core.engine.queue import READINGS
from core.errors import TransientError
from core.outside.webhook_post import WebhookReply, WebhookTarget
from customers.choices import EventKind
from customers.models import EventDelivery, Webhook
from customers.webhooks.services import CONTROLLER

# When a delivery is tried again, as Standard Webhooks recommends: three days in all.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
SWITCHED_OFF_AFTER = timedelta(days=5)
KEPT_FOR = timedelta(days=30)
GONE = 410


class EventDeliveryController(Controller[EventDelivery]):
    """Sends one event to one webhook; its ID stays the same, so that the receiver recognises a repetition."""

    name = CONTROLLER
    queue = READINGS  # a slow receiver holds no order back
    model = EventDelivery
    lease_time = timedelta(seconds=60)
    related = ("webhook",)

    def act(self, row: EventDelivery) -> Outcome:
        """The receiver has taken the event, is tried again later, or has failed for good."""
        webhook, now, is_test = row.webhook, clock.now(), row.kind == EventKind.WEBHOOK_TEST
        if not webhook.is_active and not is_test:
            return failed(_("The webhook is switched off."))
        target = WebhookTarget(url=webhook.url, secrets=webhook.secrets_at(now), guard=address_guard())
        try:
            reply = target.post(message_id=row.event_id, body=row.body, at=now)
        except TransientError as error:
            return self._again(row, str(error), None, status_code=None, seconds=None)
        fields = {"status_code": reply.status, "seconds": round(reply.seconds, 3)}
        if reply.is_taken:
            return done("Delivered", delivered_at=clock.now(), tries=row.tries + 1, **fields)
        message = _("The receiver answered %(status)s.") % {"status": reply.status}
        if reply.status == GONE:
            return failed(message, tries=row.tries + 1, **fields)
        return self._again(row, message, reply, **fields)

    def lock_related(self, rows: Sequence[EventDelivery]) -> None:
        """The webhooks, because an outcome may switch them off."""
        pks = sorted({row.webhook_id for row in rows})
        list(Webhook.objects.select_for_update().filter(pk__in=pks).order_by("pk").values("pk"))

    def on_outcomes(self, outcomes: Sequence[tuple[EventDelivery, Outcome]]) -> None:
        """A webhook fails from its first failure on until something is taken; after five days it is switched off."""
        for row, outcome in outcomes:
            webhook = Webhook.objects.filter(pk=row.webhook_id)
            if outcome.kind is OutcomeKind.DONE:
                webhook.filter(failing_since__isnull=False).update(failing_since=None)
                continue
            if row.kind == EventKind.WEBHOOK_TEST:
                continue
            now = clock.now()
            webhook.filter(failing_since=None, is_active=True).update(failing_since=now)
            if outcome.kind is OutcomeKind.FAILED:
                over = Q(failing_since__lte=now - SWITCHED_OFF_AFTER)
                reason = _("It took nothing for five days.")
                if outcome.fields.get("status_code") == GONE:
                    over, reason = Q(), _("The receiver answered 410: it wants no more events.")
                webhook.filter(over, is_active=True).update(is_active=False, inactive_reason=reason, updated_at=now)

    def _again(self, row: EventDelivery, message: str, reply: WebhookReply | None, **fields: object) -> Outcome:
        is_last = row.kind == EventKind.WEBHOOK_TEST or row.tries >= len(PAUSES)
        if is_last:
            return failed(message, tries=row.tries + 1, **fields)
        pause = PAUSES[row.tries]
        if reply is not None and reply.retry_in is not None:
            pause = max(pause, reply.retry_in)
        return retry(message, retry_in=pause, tries=row.tries + 1, **fields)


def prune_deliveries() -> int:
    """Deliveries older than a month are deleted; returns how many."""
    old = EventDelivery.objects.filter(occurred_at__lt=clock.now() - KEPT_FOR)
    return old.delete()[0]


register(EventDeliveryController())
