"""What staff may request of the monitoring backend; a worker carries it out."""

from __future__ import annotations

from django.db import transaction

from core.engine.queue import enqueue


def request_backend_check(*_: object) -> None:
    """A worker will test the connection and store the report."""
    enqueue("monitoring.zabbix_sync.tasks.check_backend", name="check backend")


@transaction.atomic
def request_sli(*_: object) -> None:
    """A worker will read the SLI and the active problems."""
    enqueue("monitoring.zabbix_sync.tasks.read_sli", name="read SLI")
    enqueue("monitoring.zabbix_sync.tasks.read_problems", name="read problems")
