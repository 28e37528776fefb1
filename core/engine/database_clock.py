"""Machines that share a database share its clock: a lease means the same to all of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from core import clock


def read_clock(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """This process goes by the clock of the database that it has just opened a session with.

    SQLite is a file of this machine, and has its clock.
    """
    if connection.vendor == "postgresql" and connection.alias == "default" and settings.CLOCK_OF_DATABASE:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            clock.correct(*cursor.fetchone())
