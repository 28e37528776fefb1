"""What staff may ask of whoever watches; a worker does the asking."""

from __future__ import annotations

from django.db import transaction

from core.engine.queue import enqueue


def ask_who_watches(*_: object) -> None:
    """A worker will test the connection, and write down what was said."""
    enqueue("monitoring.zabbix_sync.tasks.test_watch", name="test whoever watches")


@transaction.atomic
def ask_for_figures(*_: object) -> None:
    """A worker will read the watcher's own figures and its problems."""
    enqueue("monitoring.zabbix_sync.tasks.read_figures", name="read figures")
    enqueue("monitoring.zabbix_sync.tasks.read_problems", name="read problems")
