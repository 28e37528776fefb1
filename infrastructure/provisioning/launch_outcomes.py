"""What it means for a composition's row that its launch did not go as it should: again, in another way, or a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from core.engine.controller import Outcome, done, failed, retry
from core.errors import TransientError
from infrastructure.contracts.runtime import Interrupted, PortTaken, Service
from infrastructure.hosts.services import written_off_message
from infrastructure.models import Deployment, Host
from orders.choices import Wanted

PATIENCE_LAUNCHING = 120  # visits without an ending: twenty minutes of an ill service, two hours of a silent host
LONGEST_LAUNCH_REST = timedelta(seconds=60)
AFTER_A_TAKEN_PORT = timedelta(seconds=1)
KILLS_BORNE = 5  # launches that were killed, or took too long; then a person has to look
WEIGHT_OF_A_KILL = PATIENCE_LAUNCHING // KILLS_BORNE  # in visits


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchResult:
    """What a visit to a composition showed, besides how it ended."""

    services: Sequence[Service] = ()
    taken_port: int | None = None
    progress_note: str = ""


def after_a_hitch(row: Deployment, error: TransientError) -> Outcome[LaunchResult]:
    """Another try, ever later; a launch that has had its time needs a person."""
    if row.wanted == Wanted.RUNNING and row.attempts > PATIENCE_LAUNCHING:
        return failed(_("Given up waiting: %(error)s") % {"error": error})
    rest = min(timedelta(seconds=1 << min(row.attempts, 10)), LONGEST_LAUNCH_REST)
    return retry(str(error), retry_in=error.retry_in or rest)


def after_a_kill(row: Deployment, error: Interrupted) -> Outcome[LaunchResult]:
    """Begun again, but not for ever: what is killed each time wants more memory, or a longer time, than there is."""
    weighed = row.attempts + WEIGHT_OF_A_KILL
    if weighed <= PATIENCE_LAUNCHING:
        return retry(str(error), retry_in=error.retry_in, attempts=weighed)
    words = _("Given up, as it ended too early each time: %(error)s. Is there memory and disk enough for it?")
    return failed(words % {"error": error})


def after_a_taken_port(row: Deployment, error: PortTaken) -> Outcome[LaunchResult]:
    """Another port, as long as nobody has been told of this one."""
    weighed = row.attempts + WEIGHT_OF_A_KILL
    if row.launched_at is not None or weighed > PATIENCE_LAUNCHING:
        return failed(str(error))
    words = _("Port %(port)s is taken on the machine by something else: the order gets another.")
    result = LaunchResult(taken_port=error.port)
    return retry(words % {"port": error.port}, retry_in=AFTER_A_TAKEN_PORT, observed=result, attempts=weighed)


def without_host(row: Deployment, host: Host) -> Outcome[LaunchResult]:
    """Nothing is there to be asked: a person has said so."""
    if row.wanted == Wanted.RUNNING:
        return failed(written_off_message(host))
    return done(
        _("Its host %(host)s is gone for good: nothing of it is left.") % {"host": host}, observed=LaunchResult()
    )
