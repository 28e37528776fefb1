"""The outcome of a launch that went wrong: another try, another port, or a failure for staff to resolve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from core.engine.outcome import Outcome, done, failed, retry
from core.errors import TransientError
from infrastructure.contracts.runtime import Interrupted, PortTaken, Service
from infrastructure.hosts.services import written_off_message
from infrastructure.models import Deployment, Host
from orders.choices import Wanted

MAX_LAUNCH_ATTEMPTS = 120  # twenty minutes of an unhealthy service, two hours of an unreachable host
LONGEST_LAUNCH_BACKOFF = timedelta(seconds=60)
RETRY_WITH_OTHER_PORT = timedelta(seconds=1)
MAX_INTERRUPTIONS = 5  # launches that were killed or took too long
INTERRUPTION_WEIGHT = MAX_LAUNCH_ATTEMPTS // MAX_INTERRUPTIONS  # in attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchResult:
    """What a visit to a composition found, besides its outcome."""

    services: Sequence[Service] = ()
    taken_port: int | None = None
    progress_note: str = ""


def after_transient_error(row: Deployment, error: TransientError) -> Outcome[LaunchResult]:
    """Another try after a growing backoff; a launch that has used up its attempts fails."""
    if row.wanted == Wanted.RUNNING and row.attempts > MAX_LAUNCH_ATTEMPTS:
        return failed(_("Gave up waiting: %(error)s") % {"error": error})
    backoff = min(timedelta(seconds=1 << min(row.attempts, 10)), LONGEST_LAUNCH_BACKOFF)
    return retry(str(error), retry_in=error.retry_in or backoff)


def after_interruption(row: Deployment, error: Interrupted) -> Outcome[LaunchResult]:
    """Restarted, but not endlessly: what is killed each time needs more memory, or more time, than there is."""
    attempts = row.attempts + INTERRUPTION_WEIGHT
    if attempts <= MAX_LAUNCH_ATTEMPTS:
        return retry(str(error), retry_in=error.retry_in, attempts=attempts)
    message = _("Gave up after repeated interruptions: %(error)s. Check that the server has enough memory and disk.")
    return failed(message % {"error": error})


def after_taken_port(row: Deployment, error: PortTaken) -> Outcome[LaunchResult]:
    """Another port, unless this one has been published already."""
    attempts = row.attempts + INTERRUPTION_WEIGHT
    if row.launched_at is not None or attempts > MAX_LAUNCH_ATTEMPTS:
        return failed(str(error))
    message = _("Port %(port)s is in use by another program; assigning a different port.")
    result = LaunchResult(taken_port=error.port)
    return retry(message % {"port": error.port}, retry_in=RETRY_WITH_OTHER_PORT, observed=result, attempts=attempts)


def without_host(row: Deployment, host: Host) -> Outcome[LaunchResult]:
    """The outcome on a host that staff have written off: nothing there can be reached."""
    if row.wanted == Wanted.RUNNING:
        return failed(written_off_message(host))
    message = _("Host %(host)s is written off; nothing is left to remove.") % {"host": host}
    return done(message, observed=LaunchResult())
