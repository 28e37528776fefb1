"""For whatever watches this site: is the process up, and can it serve?"""

from __future__ import annotations

from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from core import clock
from core.engine.queue import next_beat
from live.secrets_check import WRONG_KEY, secrets_status

LATE = timedelta(minutes=5)


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else was asked."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when pages can be served, else 503; a late queue is told, but holds no page back."""
    try:
        missing = missing_migrations()
        queue = queue_words() if not missing else "unknown"
        secrets = secrets_status() if not missing else "unknown"
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    answer = {"database": "ok", "migrations": "missing" if missing else "ok", "queue": queue, "secrets": secrets}
    return JsonResponse(answer, status=503 if missing or secrets == WRONG_KEY else 200)


def missing_migrations() -> int:
    """How many migrations the database still lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def queue_words() -> str:
    """`ok` while the workers keep up with the clock, `late` when their next beat is long overdue."""
    beat = next_beat()
    if beat is None:
        return "unknown"
    return "late" if beat < clock.now() - LATE else "ok"
