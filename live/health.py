"""For whatever watches this site: is the process up, and can it serve?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from core import clock
from core.engine.queue import read_queue
from live.disk.full_disk import disk_status
from live.secrets_check import WRONG_KEY, secrets_status

LATE = timedelta(minutes=3)


class Probes:
    """Answers load balancers and containers, who ask by an IP address, without TLS, and follow no redirect."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match request.path_info:
            case "/healthz":
                return healthz(request)
            case "/readyz":
                return readyz(request)
        return self.get_response(request)


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else was asked."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when pages can be served, else 503; a late queue is told, but holds no page back."""
    try:
        missing = missing_migrations()
        queue = queue_status() if not missing else "unknown"
        secrets = secrets_status() if not missing else "unknown"
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    disk = disk_status()
    answer = {
        "database": "ok",
        "migrations": "missing" if missing else "ok",
        "queue": queue,
        "secrets": secrets,
        "disk": disk,
    }
    return JsonResponse(answer, status=503 if missing or secrets == WRONG_KEY or disk != "ok" else 200)


def missing_migrations() -> int:
    """How many migrations the database still lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def queue_status() -> str:
    """`ok` while workers finish a sweep every minute, `late` when the last is long ago, `unknown` before the first."""
    swept_at = read_queue().swept_at
    if swept_at is None:
        return "unknown"
    return "late" if swept_at < clock.now() - LATE else "ok"
