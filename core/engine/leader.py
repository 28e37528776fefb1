"""Of the processes on all machines that do the same by the clock, one leads and the others stand by."""

from __future__ import annotations

from django.db import connection

LEADER_LOCK = 0x6C697665  # "live" in ASCII; the database's advisory locks are named by numbers


class Leader:
    """Leads while its database session holds a lock, which ends with the session: killed, cut off or closed.

    Elsewhere than on PostgreSQL everybody leads: the database is a file, and so there is one machine. The lock needs
    sessions of its own, so a PgBouncer in between has to pool by session for this process.
    """

    def __init__(self, lock: int = LEADER_LOCK) -> None:
        self._lock = lock
        self._session: object = None

    def leads(self) -> bool:
        """True for one caller at a time; somebody else leads as soon as the leader's session has ended."""
        if connection.vendor != "postgresql":
            return True
        connection.ensure_connection()
        if self._session is connection.connection:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [self._lock])
            (is_granted,) = cursor.fetchone()
        self._session = connection.connection if is_granted else None
        return bool(is_granted)
