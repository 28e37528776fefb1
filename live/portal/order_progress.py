"""An order's life in words a customer understands. Plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.choices import SUSPENDING, Part, PartState, State, Wanted
from orders.lifecycle import ReportedPart, is_suspending

Text = str | Promise

STATES: Mapping[State, Text] = {state: state.label for state in State}
# Which of the style sheet's tones a state is shown in.
TONES: Mapping[State, str] = {
    State.DRAFT: "quiet",
    State.PENDING: "wait",
    State.PROVISIONING: "busy",
    State.ACTIVE: "good",
    State.DEGRADED: "warn",
    State.SUSPENDED: "wait",
    State.REMOVING: "busy",
    State.REMOVED: "quiet",
    State.ATTENTION: "warn",
}
PARTS: Mapping[Part, Text] = {
    Part.SERVER: gettext_lazy("Server"),
    Part.COMPOSITION: gettext_lazy("Services"),
    Part.ENDPOINTS: gettext_lazy("Endpoint checks"),
    Part.MONITORING: gettext_lazy("Monitoring"),
    Part.SUBSCRIPTION: gettext_lazy("Subscription"),
}
SETTING_UP: Mapping[Part, Text] = {
    Part.SERVER: gettext_lazy("We are setting up your server"),
    Part.COMPOSITION: gettext_lazy("We are starting your services"),
    Part.ENDPOINTS: gettext_lazy("We are checking your services"),
    Part.MONITORING: gettext_lazy("We are setting up monitoring"),
    Part.SUBSCRIPTION: gettext_lazy("We are starting your subscription"),
}
LEAVING = (Part.SUBSCRIPTION, Part.MONITORING, Part.COMPOSITION, Part.ENDPOINTS, Part.SERVER)
MOVING = (State.PROVISIONING, State.REMOVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressStep:
    """One part of an order as the stepper shows it; `look` is the style sheet's word for it."""

    part: Part
    label: Text
    look: str
    status: str
    detail: str = ""

    @property
    def is_current(self) -> bool:
        """True of the step that is being worked on."""
        return self.look == "working"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgress:
    """Where an order stands: a headline, a sentence that says why, and its steps."""

    label: Text
    tone: str
    headline: str
    reason: str
    steps: tuple[ProgressStep, ...]
    refresh_after: int  # seconds until the page should ask again; 0 when nothing is on its way


def label_of(state: State, wanted: Wanted) -> tuple[Text, str]:
    """How the state is called, and its tone; an order whose services are still stopping is not called active."""
    if is_suspending(state, wanted):
        return SUSPENDING, TONES[State.SUSPENDED]
    return STATES[state], TONES[state]


def progress_of(
    *,
    state: State,
    wanted: Wanted,
    version: int,
    parts: Iterable[ReportedPart],
    maintenance_until: str = "",
    is_changing: bool = False,
) -> OrderProgress:
    """Everything the order page says about progress; what staff are told of errors is not repeated to customers.

    `maintenance_until` is when the maintenance that is under way ends, in the reader's words.
    """
    steps = _steps(state, wanted, version, {part.part: part for part in parts})
    headline, reason = _headline(state, wanted, steps)
    label, tone = label_of(state, wanted)
    if is_changing and state is State.PROVISIONING:
        label, headline = gettext_lazy("Being changed"), _("We are changing your services")
    if maintenance_until and wanted is Wanted.RUNNING and state in (State.ACTIVE, State.DEGRADED):
        headline, reason = _under_maintenance(maintenance_until)
        label, tone = PartState.MAINTENANCE.label, "wait"
    return OrderProgress(
        label=label,
        tone=tone,
        headline=headline,
        reason=reason,
        steps=steps,
        refresh_after=_refresh_after(state, wanted, steps),
    )


def _refresh_after(state: State, wanted: Wanted, steps: tuple[ProgressStep, ...]) -> int:
    """Often while an order is on its way; now and then while what follows later has not come yet."""
    if state in MOVING or (state is State.ACTIVE and wanted is Wanted.SUSPENDED):
        return 2
    if state is State.ACTIVE and any(step.look in ("waiting", "working") for step in steps):
        return 10
    return 0


def _steps(
    state: State, wanted: Wanted, version: int, by_part: Mapping[Part, ReportedPart]
) -> tuple[ProgressStep, ...]:
    if state in (State.DRAFT, State.PENDING):
        return ()
    if wanted is Wanted.REMOVED:
        shown = [_leaving(part, report) for part in LEAVING if (report := by_part.get(part))]
    else:
        shown = [_arriving(part, by_part.get(part), version) for part in Part]
        if wanted is Wanted.SUSPENDED and (server := by_part.get(Part.SERVER)):
            # Suspension asks nothing of the server, so its last report still holds.
            shown[0] = _arriving(Part.SERVER, server, server.version)
    return tuple(_first_waits_no_more(shown) if state in MOVING else shown)


def _first_waits_no_more(steps: list[ProgressStep]) -> list[ProgressStep]:
    """The first step still to come is the one being worked on, unless another one is."""
    if any(step.look in ("working", "failed") for step in steps):
        return steps
    first = next((step for step in steps if step.look == "waiting"), None)
    return [replace(step, look="working", status=_("In progress")) if step is first else step for step in steps]


def _arriving(part: Part, report: ReportedPart | None, version: int) -> ProgressStep:
    look, detail = "waiting", ""
    status: Text = _("Not started")
    if report is not None and report.version == version:
        look, status = LOOKS[report.state]
        # What is said of maintenance is in the company's zone; the headline says it in the reader's.
        detail = "" if report.state in (PartState.FAILED, PartState.MAINTENANCE) else report.for_customers.message
    return ProgressStep(part=part, label=PARTS[part], look=look, status=str(status), detail=detail)


def _leaving(part: Part, report: ReportedPart) -> ProgressStep:
    if report.state is PartState.REMOVED:
        look, status = "done", _("Removed")
    elif report.state is PartState.FAILED:
        look, status = "failed", _("We are investigating")
    else:
        look, status = "waiting", _("Waiting for removal")
    return ProgressStep(part=part, label=PARTS[part], look=look, status=status)


LOOKS: Mapping[PartState, tuple[str, Text]] = {
    PartState.WORKING: ("working", gettext_lazy("In progress")),
    PartState.READY: ("done", gettext_lazy("Ready")),
    PartState.DOWN: ("failed", gettext_lazy("Not responding")),
    PartState.MAINTENANCE: ("paused", gettext_lazy("Under maintenance")),
    PartState.SUSPENDED: ("paused", gettext_lazy("Suspended")),
    PartState.REMOVED: ("done", gettext_lazy("Removed")),
    PartState.FAILED: ("failed", gettext_lazy("We are investigating")),
}


def _headline(state: State, wanted: Wanted, steps: tuple[ProgressStep, ...]) -> tuple[str, str]:
    """The headline, and the sentence under it."""
    if state is State.ACTIVE:
        return _running(wanted, steps)
    if state is State.PROVISIONING:
        current = next((step for step in steps if step.is_current), None)
        headline = str(SETTING_UP[current.part]) if current else _("We are setting up your order")
        return headline, _("This page updates automatically. We will e-mail you when everything is ready.")
    return {
        State.DRAFT: (_("Review your order"), _("Nothing has been started and nothing has been charged.")),
        State.PENDING: (_("We have received your order"), _("We will review it and start as soon as it is approved.")),
        State.DEGRADED: (
            _("There is a problem with your services"),
            _("We have been alerted and are investigating. You do not need to do anything."),
        ),
        State.SUSPENDED: (_("Your services are suspended"), _("Your services are stopped. Your data is kept.")),
        State.REMOVING: (
            _("We are removing your order"),
            _("The services are stopped first, then the server is removed."),
        ),
        State.REMOVED: (
            _("This order has been removed"),
            _("All its services and data have been removed. Your invoices remain available."),
        ),
        State.ATTENTION: (
            _("This is taking longer than expected"),
            _("One of our engineers has been alerted and is working on it. You do not need to do anything."),
        ),
    }[state]


def _under_maintenance(until: str) -> tuple[str, str]:
    headline = _("Under maintenance until %(time)s") % {"time": until}
    return headline, _("This is planned maintenance. Your services may be unavailable during this time.")


def _running(wanted: Wanted, steps: tuple[ProgressStep, ...]) -> tuple[str, str]:
    if wanted is Wanted.SUSPENDED:
        return _("We are suspending your services"), _("Your services are being stopped. Your data is kept.")
    headline = _("Your services are running")
    if all(step.look == "done" for step in steps):
        return headline, _("All checks have passed.")
    return headline, _("All checks have passed. The remaining steps complete automatically.")
