"""What a push does: the order's addresses are due for reading at once."""

from __future__ import annotations

from django.db import transaction

from core import clock
from core.engine.queue import enqueue
from monitoring.history.intervals import orders_of_keys
from monitoring.models import Monitor
from monitoring.monitors.readings import READ_EVERY
from orders.choices import Wanted


class UnknownKey(Exception):
    """Nothing of ours is called that, or it is not watched now."""


@transaction.atomic
def read_at_once(key: str) -> None:
    """The monitor with this key is due now, and a worker knows; repeating it costs two queries and no reading more.

    What a worker holds is left to it: it looks again when it finds that there was a push meanwhile.
    """
    now = clock.now()
    row = Monitor.objects.filter(order__in=orders_of_keys([key]).values(), wanted=Wanted.RUNNING).first()
    if row is None or row.next_read_at is None:
        raise UnknownKey
    waiting = Monitor.objects.readable(now).filter(pushed_at__isnull=False).exists()
    Monitor.objects.filter(pk=row.pk).update(pushed_at=now)
    resting = Monitor.objects.filter(pk=row.pk, next_read_at__gt=now, next_read_at__lte=now + READ_EVERY)
    # Whoever waits already has a message in the queue, which reads everything that is due.
    if resting.update(next_read_at=now) and not waiting:
        enqueue("monitoring.zabbix_sync.tasks.read_pushed", name=f"push {key}")
