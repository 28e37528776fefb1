"""Run as a program: one worker machine's pusher and monitor in one, until the queue is empty; prints what it took.

The arguments are the broker's class, the moment (Unix time) at which all consumers begin, and nothing else.
"""

from __future__ import annotations

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "live.settings")
django.setup()

from django.db import connection  # noqa: E402  (what follows needs the settings)
from django.utils.module_loading import import_string  # noqa: E402

BEGINNING = 1.0  # seconds for which an empty queue is not the end: others may be faster


def main(broker_class: str, begin_at: float) -> None:
    """Every message that this consumer got is taken and acknowledged."""
    broker = import_string(broker_class)()
    connection.ensure_connection()
    time.sleep(max(0, begin_at - time.time()))
    count, ended = 0, time.time()
    while batch := broker.dequeue():
        for pk, _payload in batch:
            broker.acknowledge(pk)
        count, ended = count + len(batch), time.time()
    print(count, ended)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
