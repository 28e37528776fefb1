"""How a monitor stands: for the lists of this room, and as the order is told. No queries beyond the rows given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from monitoring.choices import CheckState
from monitoring.models import Monitor, MonitorCheck
from monitoring.rules.debounce import is_lost
from orders.choices import Part, PartState, Wanted
from orders.services import Report

WORST_FIRST = (CheckState.DOWN, CheckState.UNKNOWN, CheckState.PAUSED, CheckState.UP)
ON_ITS_WAY = {
    Wanted.RUNNING: gettext_lazy("Being registered."),
    Wanted.SUSPENDED: gettext_lazy("Being paused."),
    Wanted.REMOVED: gettext_lazy("Being deregistered."),
}
# What a customer understands; the rest speaks of our own machinery.
PUBLIC = (PartState.READY, PartState.DOWN, PartState.MAINTENANCE, PartState.SUSPENDED, PartState.REMOVED)


def rolled_up(states: Iterable[str]) -> CheckState:
    """The worst of `states`; of nothing, nothing is known."""
    known = set(states)
    return next((state for state in WORST_FIRST if state in known), CheckState.UNKNOWN)


def report_of(row: Monitor, *, now: datetime, maintenance_until: datetime | None = None) -> Report:
    """What the order is told of its monitoring, from the row and its checks as they are now.

    While it rests for maintenance that is what is told; what is down meanwhile is added, and raises no alarm.
    """
    state, message = _standing(row, list(row.checks.all()), now)
    if maintenance_until and (state == PartState.DOWN or _is_there(row)):
        said = "" if state == PartState.READY else message
        state, message = PartState.MAINTENANCE, f"{_resting_in_words(maintenance_until, now)} {said}".strip()
    return Report(
        order_pk=row.order_id,
        part=Part.MONITORING,
        state=state,
        version=row.wanted_version,
        message=message,
        is_public=state in PUBLIC,
    )


def _standing(row: Monitor, checks: list[MonitorCheck], now: datetime) -> tuple[PartState, str]:
    if row.wanted == Wanted.RUNNING and any(check.state == CheckState.DOWN for check in checks):
        return PartState.DOWN, _down_in_words(checks)
    if row.has_failed:
        return PartState.FAILED, row.last_error
    if not row.is_settled:
        return PartState.WORKING, row.last_error or str(ON_ITS_WAY[Wanted(row.wanted)])
    if row.wanted == Wanted.SUSPENDED:
        return PartState.SUSPENDED, _("Paused.")
    if row.wanted == Wanted.REMOVED:
        return PartState.REMOVED, _("Deregistered; nothing is watched any more.")
    if lost := [check for check in checks if is_lost(check.state, check.since, now=now)]:
        return PartState.WORKING, _lost_in_words(row, lost)
    words = ngettext("%(count)d check registered.", "%(count)d checks registered.", len(checks))
    return PartState.READY, words % {"count": len(checks)}


def _is_there(row: Monitor) -> bool:
    return row.wanted == Wanted.RUNNING and row.is_settled and not row.has_failed


def _resting_in_words(until: datetime, now: datetime) -> str:
    with timezone.override(None):  # the company's zone: whoever reads it later may be anywhere
        return _("Under maintenance until %(time)s.") % {"time": moment_in_words(until, now)}


def moment_in_words(moment: datetime, now: datetime) -> str:
    """The time and its zone, the reader's, as "14:30 CEST"; with the day unless that is today."""
    local = timezone.localtime(moment)
    time = date_format(local, "H:i T")
    if local.date() == timezone.localdate(now):
        return time
    return f"{date_format(local, 'DATE_FORMAT')}, {time}"


def _down_in_words(checks: list[MonitorCheck]) -> str:
    """What is down and why; what they all have to say is said once."""
    down = [check for check in checks if check.state == CheckState.DOWN]
    said = "; ".join(f"{check.endpoint.application}: {check.public_message}" for check in down)
    if len(checks) == 1:
        return said
    if len(down) == len(checks) and len({check.public_message for check in down}) == 1:
        return _("All %(all)d addresses are down: %(said)s") % {"all": len(checks), "said": down[0].public_message}
    count = _("%(down)d of %(all)d addresses are down") % {"down": len(down), "all": len(checks)}
    return f"{count}: {said}"


def _lost_in_words(row: Monitor, lost: list[MonitorCheck]) -> str:
    names = ", ".join(check.endpoint.application for check in lost)
    words = _("Not known how these are doing: %(names)s.") % {"names": names}
    return f"{words} {row.read_error}".strip()
