"""The state of a monitor, and its report to the order. No queries beyond the rows given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.text.moments import moment_in_words
from monitoring.choices import CheckState
from monitoring.models import Monitor, MonitorCheck
from monitoring.rules.debounce import is_lost
from orders.choices import Part, PartState, Wanted
from orders.services import Report

WORST_FIRST = (CheckState.DOWN, CheckState.UNKNOWN, CheckState.PAUSED, CheckState.UP)
IN_PROGRESS = {
    Wanted.RUNNING: gettext_lazy("Being registered."),
    Wanted.SUSPENDED: gettext_lazy("Being paused."),
    Wanted.REMOVED: gettext_lazy("Being deregistered."),
}
# Meaningful to customers; the other states are internal.
PUBLIC = (PartState.READY, PartState.DOWN, PartState.MAINTENANCE, PartState.SUSPENDED, PartState.REMOVED)


def rolled_up(states: Iterable[str]) -> CheckState:
    """The worst of `states`; unknown without any."""
    present = set(states)
    return next((state for state in WORST_FIRST if state in present), CheckState.UNKNOWN)


def report_of(row: Monitor, *, now: datetime, maintenance_until: datetime | None = None) -> Report:
    """The report about the present state of the monitor and its checks.

    During maintenance that is the state; endpoints that are down are added to the message, and raise no alert.
    """
    state, message = _state_and_message(row, list(row.checks.all()), now)
    if maintenance_until and (state == PartState.DOWN or _is_there(row)):
        details = "" if state == PartState.READY else message
        state, message = PartState.MAINTENANCE, f"{_maintenance_message(maintenance_until, now)} {details}".strip()
    return Report(
        order_pk=row.order_id,
        part=Part.MONITORING,
        state=state,
        version=row.wanted_version,
        message=message,
        is_public=state in PUBLIC,
    )


def _state_and_message(row: Monitor, checks: list[MonitorCheck], now: datetime) -> tuple[PartState, str]:
    if row.wanted == Wanted.RUNNING and any(check.state == CheckState.DOWN for check in checks):
        return PartState.DOWN, _down_message(checks)
    if row.has_failed:
        return PartState.FAILED, row.last_error
    if not row.is_settled:
        return PartState.WORKING, row.last_error or str(IN_PROGRESS[Wanted(row.wanted)])
    if row.wanted == Wanted.SUSPENDED:
        return PartState.SUSPENDED, _("Paused.")
    if row.wanted == Wanted.REMOVED:
        return PartState.REMOVED, _("Deregistered.")
    if lost := [check for check in checks if is_lost(check.state, check.since, now=now)]:
        return PartState.WORKING, _lost_message(row, lost)
    text = ngettext("%(count)d check registered.", "%(count)d checks registered.", len(checks))
    return PartState.READY, text % {"count": len(checks)}


def _is_there(row: Monitor) -> bool:
    return row.wanted == Wanted.RUNNING and row.is_settled and not row.has_failed


def _maintenance_message(until: datetime, now: datetime) -> str:
    with timezone.override(None):  # the company's time zone: the message is stored, and read anywhere
        return _("Under maintenance until %(time)s.") % {"time": moment_in_words(until, now)}


def _down_message(checks: list[MonitorCheck]) -> str:
    """What is down and why; a reason that all share is given once."""
    down = [check for check in checks if check.state == CheckState.DOWN]
    details = "; ".join(f"{check.endpoint.application}: {check.public_message}" for check in down)
    if len(checks) == 1:
        return details
    if len(down) == len(checks) and len({check.public_message for check in down}) == 1:
        return _("All %(all)d endpoints are down: %(reason)s") % {"all": len(checks), "reason": down[0].public_message}
    count = _("%(down)d of %(all)d endpoints are down") % {"down": len(down), "all": len(checks)}
    return f"{count}: {details}"


def _lost_message(row: Monitor, lost: list[MonitorCheck]) -> str:
    names = ", ".join(check.endpoint.application for check in lost)
    text = _("No recent reading of %(names)s.") % {"names": names}
    return f"{text} {row.read_error}".strip()
