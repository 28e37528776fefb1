"""Web addresses to check, and how they answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.call_times.counting import CallOutcome, OutsideSystem, count_call
from core.outside.address_guard import PUBLIC_ONLY, AddressGuard
from core.outside.check_failure import CheckFailure

CONCURRENCY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """What is expected of one address."""

    url: str
    status: int = 200
    contains: str = ""
    max_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResult:
    """How the address answered; without a failure it did as expected."""

    failure: CheckFailure | None = None
    status: int | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True when everything expected was there."""
        return self.failure is None


def check_all(
    checks: Sequence[HttpCheck], *, guard: AddressGuard = PUBLIC_ONLY, concurrency: int = CONCURRENCY
) -> list[HttpResult]:
    """One result per check, in the same order; none raises.

    `max_seconds` bounds name look-up, connecting, TLS, headers, redirects and the body together. `guard` judges where
    redirects to other hosts may lead; the address of a check itself may be a private one.
    """
    from core.outside.http_checker import run_checks  # aiohttp takes a quarter of a second: only where checks are made

    results = asyncio.run(run_checks(checks, guard, concurrency)) if checks else []
    for result in results:
        outcome = CallOutcome.OK if result.ok else CallOutcome.TRANSIENT
        count_call(OutsideSystem.ENDPOINTS, outcome, result.seconds)
    return results
