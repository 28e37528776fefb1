"""Alerts are raised and cleared, and staff who chose them get one mail for all that are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.timezone import localtime

from core import clock
from core.engine.controller import enqueue_rows
from customers.models import User
from customers.services import write_staff_message
from live.alerts.conditions import PERMISSIONS, Condition, current_conditions
from live.models import AlertChoice, AlertKind, StaffAlert, WebhookDelivery

SHOWN_IN_A_MAIL = 25
DIGEST_HOUR = 7


@transaction.atomic
def update_alerts() -> int:
    """New conditions raise an alert, each once; what is over is cleared. Returns how many alerts are new."""
    now, conditions = clock.now(), {condition.key: condition for condition in current_conditions()}
    open_alerts = {alert.key: alert for alert in StaffAlert.objects.filter(cleared_at=None)}
    over = [alert for key, alert in open_alerts.items() if key not in conditions]
    StaffAlert.objects.filter(pk__in=[alert.pk for alert in over]).update(cleared_at=now, updated_at=now)
    new = [_raise(condition, now) for key, condition in conditions.items() if key not in open_alerts]
    raised = [alert for alert in new if alert is not None]
    _deliver(WebhookDelivery.Event.RAISED, raised, now)
    _deliver(WebhookDelivery.Event.CLEARED, over, now)
    for user, alerts in _by_recipient(raised).items():
        write_staff_message(
            key=f"alert:{alerts[0].pk}:{user.pk}", user=user, template="live/mail/alerts", context=_context(alerts)
        )
    return len(raised)


@transaction.atomic
def send_digests() -> int:
    """From seven in the morning, whoever chose the digest has today's mail if anything is open; returns how many."""
    now = localtime(clock.now())
    if now.hour < DIGEST_HOUR:
        return 0
    open_alerts = list(StaffAlert.objects.filter(cleared_at=None).order_by("kind", "raised_at"))
    count = 0
    for choice in _choices().filter(daily_digest=True):
        if alerts := [alert for alert in open_alerts if choice.user.has_perm(PERMISSIONS[AlertKind(alert.kind)])]:
            key = f"digest:{now.date().isoformat()}:{choice.user_id}"
            write_staff_message(key=key, user=choice.user, template="live/mail/digest", context=_context(alerts))
            count += 1
    return count


def _raise(condition: Condition, now: datetime) -> StaffAlert | None:
    """The alert, unless another worker has just raised it."""
    try:
        with transaction.atomic():
            return StaffAlert.objects.create(
                key=condition.key,
                kind=condition.kind,
                title=condition.title[:250],
                reason=condition.reason,
                next_step=condition.next_step,
                path=condition.path,
                raised_at=now,
            )
    except IntegrityError:
        return None


def _deliver(event: WebhookDelivery.Event, alerts: Iterable[StaffAlert], now: datetime) -> None:
    if not settings.STAFF_WEBHOOK_URL:
        return
    rows = [
        WebhookDelivery.objects.create(alert=alert, event=event, occurred_at=now, next_attempt_at=now)
        for alert in alerts
    ]
    enqueue_rows("staff-webhook", [row.pk for row in rows])


def _choices() -> Any:
    choices = AlertChoice.objects.filter(user__is_staff=True, user__is_active=True).exclude(user__email="")
    return choices.select_related("user").order_by("user_id")


def _by_recipient(alerts: Sequence[StaffAlert]) -> Mapping[User, list[StaffAlert]]:
    """For each member of staff, the alerts that he or she chose and may read about."""
    chosen: dict[User, list[StaffAlert]] = {}
    if not alerts:
        return chosen
    for choice in _choices():
        for alert in alerts:
            if getattr(choice, alert.kind) and choice.user.has_perm(PERMISSIONS[AlertKind(alert.kind)]):
                chosen.setdefault(choice.user, []).append(alert)
    return chosen


def _context(alerts: Sequence[StaffAlert]) -> dict[str, object]:
    """The texts as they are now: the mail stays true when the alert is over before it is sent."""
    shown = [
        {
            "kind": alert.get_kind_display(),
            "title": alert.title,
            "reason": alert.reason,
            "next_step": alert.next_step,
            "url": alert.url,
        }
        for alert in alerts[:SHOWN_IN_A_MAIL]
    ]
    return {"alerts": shown, "count": len(alerts), "more": len(alerts) - len(shown), "first": shown[0]}
