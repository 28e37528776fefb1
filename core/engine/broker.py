"""The broker of django-q2 that keeps messages as rows of the default database and shares them evenly.

django-q2's own ORM broker reads a batch and then locks its rows one by one: consumers that read the same batch lose
most of it to each other. On PostgreSQL a batch is taken by one statement that skips what another consumer is taking.
Named queues are served in the order in which `QUEUES` lists them, so that orders do not wait for bulk work.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from core import clock

Message = tuple[int, str]

# Every so many batches the queues are served in reverse, so that the last of them is never left waiting for good.
REVERSED_EVERY = 10

# LATERAL walks the queues in their order and stops once the batch is full.
TAKE = """
WITH batch AS MATERIALIZED (
    SELECT message.id, queue.position
    FROM unnest(%(queues)s::text[]) WITH ORDINALITY AS queue (key, position)
    CROSS JOIN LATERAL (
        SELECT id FROM django_q_ormq WHERE key = queue.key AND lock <= %(now)s
        ORDER BY id LIMIT %(size)s FOR UPDATE SKIP LOCKED
    ) AS message
    LIMIT %(size)s
)
UPDATE django_q_ormq AS message SET lock = %(until)s FROM batch WHERE message.id = batch.id
RETURNING batch.position, message.id, message.payload
"""


class QueueBroker(ORM):  # type: ignore[misc]
    """Serves the queues of `settings.QUEUES`; a message not acknowledged within `retry` seconds is due again."""

    _batches = 0
    _relaxed: object = None

    def enqueue(self, task: str) -> int:
        """What django-q2 sends by itself (schedules) is due now, by the clock that all machines share."""
        return int(OrmQ.objects.create(key=self.list_key, payload=task, lock=clock.now()).pk)

    def dequeue(self) -> list[Message] | None:
        """Up to `bulk` messages, first those of the first queue; None, after a pause, when there is none."""
        self.get_connection()  # replaces a connection that broke
        self._batches += 1
        queues = list(settings.QUEUES)
        if self._batches % REVERSED_EVERY == 0:
            queues.reverse()
        take = self._take_at_once if connection.vendor == "postgresql" else self._take_each
        if batch := take(queues):
            return batch
        time.sleep(Conf.POLL)
        return None

    def acknowledge(self, task_id: int) -> None:
        """The message is gone."""
        self._relax()
        super().acknowledge(task_id)

    def _take_at_once(self, queues: list[str]) -> list[Message]:
        """One statement, whatever other consumers are taking at the same moment."""
        self._relax()
        now = clock.now()
        parameters = {"queues": queues, "now": now, "until": now + timedelta(seconds=Conf.RETRY), "size": Conf.BULK}
        with connection.cursor() as cursor:
            cursor.execute(TAKE, parameters)
            return [(pk, payload) for _position, pk, payload in sorted(cursor.fetchall())]

    def _take_each(self, queues: list[str]) -> list[Message]:
        """For databases without SKIP LOCKED: each message by a conditional UPDATE."""
        now, batch = clock.now(), list[Message]()
        for queue in queues:
            due: Any = OrmQ.objects.filter(key=queue, lock__lte=now).order_by("pk")[: Conf.BULK - len(batch)]
            for message in due:
                is_free = OrmQ.objects.filter(pk=message.pk, lock=message.lock)
                if is_free.update(lock=now + timedelta(seconds=Conf.RETRY)):
                    batch.append((message.pk, message.payload))
        return batch

    def _relax(self) -> None:
        """Commits of this process do not wait for the disk: a mark that is lost in a crash delivers a message again."""
        if connection.vendor == "postgresql" and self._relaxed is not (connection.connection or self):
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit TO off")
            self._relaxed = connection.connection
