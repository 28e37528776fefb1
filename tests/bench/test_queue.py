"""How messages are shared between worker machines, against the ORM broker of django-q2 in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django_q.models import OrmQ

from core.engine.queue import Call, enqueue_calls

pytestmark = [
    pytest.mark.bench,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "postgresql" not in settings.DATABASES["default"]["ENGINE"], reason="needs PostgreSQL (DATABASE_URL)"
    ),
]

ROOT = Path(__file__).parents[2]
MESSAGES = 1500
START = 12.0  # seconds until eight consumers have started on two cores
FLOOR = "django_q.brokers.orm.ORM"
OURS = "core.engine.broker.QueueBroker"


def consume(broker: str, machines: int) -> tuple[float, list[int]]:
    """Messages a second, and how many each machine took."""
    OrmQ.objects.all().delete()
    enqueue_calls("time.sleep", [Call((0,)) for _ in range(MESSAGES)])
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "live.settings"}
    begin_at = time.time() + START
    command = [sys.executable, "-m", "tests.bench.consumer", broker, str(begin_at)]
    consumers = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(machines)
    ]
    answers = [consumer.communicate(timeout=300)[0].split() for consumer in consumers]
    shares = [int(count) for count, _ended in answers]
    assert sum(shares) >= MESSAGES
    assert not OrmQ.objects.exists()
    return MESSAGES / (max(float(ended) for _count, ended in answers) - begin_at), shares


def test_machines_share_messages_evenly_and_faster_than_over_the_orm_broker() -> None:
    for machines in (1, 2, 4, 8):
        (floor, floor_shares), (ours, shares) = consume(FLOOR, machines), consume(OURS, machines)
        print(  # noqa: T201  (a benchmark speaks)
            f"\n{machines} machines: {ours:.0f} messages a second, {ours / floor:.2f} of the ORM broker's {floor:.0f}; "
            f"shares {sorted(shares)}, of the ORM broker {sorted(floor_shares)}"
        )
