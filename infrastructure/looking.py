"""What runs on the engines, looked at and written down; nobody waits for it in a web request."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, QuerySet

from infrastructure.models import Deployment
from infrastructure.outside import engine_of, get_runtime
from infrastructure.seeing import write_services
from live.lib.errors import OutsideError
from live.lib.queue import enqueue
from orders.words import Wanted

logger = logging.getLogger(__name__)


def look_at_services() -> int:
    """Every provider with running compositions will be looked at; returns how many, so that none waits for another."""
    pks = list(_running().order_by().values_list("server__provider", flat=True).distinct())
    with transaction.atomic():
        for pk in pks:
            enqueue("infrastructure.looking.look_at_provider", pk, name=f"look at provider {pk}")
    return len(pks)


def look_at_provider(provider_pk: int) -> int:
    """The services of a provider's running compositions are as its engines show them now; one look for each engine."""
    rows = _running().filter(server__provider=provider_pk).select_related("order", "server__provider", "server__host")
    by_engine: dict[str, list[Deployment]] = defaultdict(list)
    for row in rows:
        by_engine[engine_of(row.server)].append(row)
    return sum(_look_at_engine(engine, rows) for engine, rows in by_engine.items())


def _look_at_engine(engine: str, rows: Sequence[Deployment]) -> int:
    keys = {row.order.key: row.pk for row in rows}
    try:
        seen = get_runtime(rows[0].server).observe(keys=list(keys))
    except OutsideError as error:
        logger.warning("Services of provider %s (%s) were not seen: %s", rows[0].server.provider_id, engine, error)
        return 0
    with transaction.atomic():
        # What was suspended or removed meanwhile has had its own, newer look.
        still = set(
            _running().select_for_update(of=("self",)).filter(pk__in=keys.values()).values_list("pk", flat=True)
        )
        write_services({keys[key]: services for key, services in seen.items() if keys.get(key) in still})
    return len(still)


def _running() -> QuerySet[Deployment]:
    """Launched compositions that nobody is changing."""
    return Deployment.objects.filter(
        wanted=Wanted.RUNNING, order__wanted=Wanted.RUNNING, done_version=F("wanted_version"), launched_at__isnull=False
    )
