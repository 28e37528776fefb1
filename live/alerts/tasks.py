"""What workers do about alerts: look every minute, and call the webhook."""

from __future__ import annotations

import json

from django.conf import settings

from core import clock
from core.address_policy import address_guard
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done
from live.alerts.services import send_digests, update_alerts
from live.alerts.webhook import StaffWebhook
from live.models import WebhookDelivery


def check_alerts() -> int:
    """Alerts are up to date and the day's digest is on the queue; returns how many alerts are new."""
    new = update_alerts()
    send_digests()
    return new


def get_webhook() -> StaffWebhook:
    """The webhook of this site's settings."""
    return StaffWebhook(url=settings.STAFF_WEBHOOK_URL, secret=settings.STAFF_WEBHOOK_SECRET, guard=address_guard())


class WebhookController(Controller[WebhookDelivery]):
    """Hands alerts to the webhook, each until it was taken or refused."""

    name = "staff-webhook"
    model = WebhookDelivery
    related = ("alert",)
    max_attempts = 100

    def act(self, row: WebhookDelivery) -> Outcome:
        """The receiver took the alert; a repeat has the same ID, by which it can be recognised."""
        if not settings.STAFF_WEBHOOK_URL:
            return done("There is no STAFF_WEBHOOK_URL any more.")
        get_webhook().post(message_id=f"alert_{row.pk}", body=body_of(row), at=clock.now())
        return done("Delivered", delivered_at=clock.now())


def body_of(row: WebhookDelivery) -> str:
    """The body as Standard Webhooks recommends: type, timestamp, data."""
    alert = row.alert
    return json.dumps(
        {
            "type": row.event,
            "timestamp": row.occurred_at.isoformat(),
            "data": {
                "id": alert.pk,
                "key": alert.key,
                "kind": alert.kind,
                "title": alert.title,
                "reason": alert.reason,
                "next_step": alert.next_step,
                "url": alert.url,
                "raised_at": alert.raised_at.isoformat(),
                "cleared_at": alert.cleared_at.isoformat() if alert.cleared_at else None,
            },
        }
    )


register(WebhookController())
