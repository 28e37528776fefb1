"""Which part may move when, and the state of an order: pure values, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from orders.choices import Part, PartState, State, Wanted

ARRIVES_AFTER: Mapping[Part, tuple[Part, ...]] = {
    Part.SERVER: (),
    Part.COMPOSITION: (Part.SERVER,),
    Part.ENDPOINTS: (Part.COMPOSITION,),
    Part.MONITORING: (Part.ENDPOINTS,),
    Part.SUBSCRIPTION: (Part.ENDPOINTS,),
}
LEAVES_AFTER: Mapping[Part, tuple[Part, ...]] = {
    Part.SUBSCRIPTION: (),
    Part.MONITORING: (),
    Part.COMPOSITION: (Part.MONITORING,),
    Part.ENDPOINTS: (Part.COMPOSITION,),
    Part.SERVER: (Part.COMPOSITION,),
}
# The parts that others wait for, when an order is set up and when it is removed.
AWAITED_TO_ARRIVE = frozenset(part for before in ARRIVES_AFTER.values() for part in before)
AWAITED_TO_LEAVE = frozenset(part for before in LEAVES_AFTER.values() for part in before)
# An order is active without monitoring: an outage of Zabbix holds no customer back.
REQUIRED = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
# The states of a part that exists, healthy or not.
ARRIVED = (PartState.READY, PartState.DOWN, PartState.MAINTENANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPart:
    """The last report on a part, and the order's version that it answers."""

    part: Part
    state: PartState
    version: int
    message: str = ""
    customer_message: str | None = None
    """What customers read instead of the message; None where the message is for everybody."""

    @property
    def for_customers(self) -> ReportedPart:
        """The same report without anything meant for staff."""
        if self.customer_message is None:
            return self
        return replace(self, message=self.customer_message, customer_message=None)


def may_move(part: Part, *, wanted: Wanted, version: int, parts: Iterable[ReportedPart]) -> bool:
    """True when every part that comes before `part` has reached what is wanted.

    A suspension waits for nothing. On removal, a part that never existed holds nothing back.
    """
    by_part = {reported.part: reported for reported in parts}
    if wanted is Wanted.SUSPENDED:
        return True
    if wanted is Wanted.REMOVED:
        before = [by_part[other] for other in LEAVES_AFTER[part] if other in by_part]
        return all(reported.state is PartState.REMOVED for reported in before)
    return all(
        (reported := by_part.get(other)) is not None and reported.version == version and reported.state in ARRIVED
        for other in ARRIVES_AFTER[part]
    )


def lets_others_move(part: Part, state: PartState) -> bool:
    """True when another part may have waited for `part` to reach `state`."""
    if state is PartState.REMOVED:
        return part in AWAITED_TO_LEAVE
    return state in ARRIVED and part in AWAITED_TO_ARRIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """The state of an order, its reason, and whether staff have to act."""

    state: State
    reason: str
    needs_attention: bool = False


def is_suspending(state: State, wanted: Wanted) -> bool:
    """True while the order's services stop: until then it is still active."""
    return state is State.ACTIVE and wanted is Wanted.SUSPENDED


def order_status(
    *, wanted: Wanted, version: int, placed: bool, approved: bool, parts: Iterable[ReportedPart]
) -> OrderStatus:
    """The state of an order and the sentence that explains it."""
    ordered = sorted(parts, key=lambda reported: list(Part).index(reported.part))
    if wanted is Wanted.REMOVED:
        return _removal_status(ordered, version)
    if not placed:
        return OrderStatus(state=State.DRAFT, reason=_("Draft: nothing has been created yet."))
    if not approved:
        return OrderStatus(state=State.PENDING, reason=_("Placed; waiting for approval."))
    failed = [reported for reported in ordered if reported.state is PartState.FAILED and reported.version == version]
    if any(reported.part in REQUIRED for reported in failed):
        return _attention_status(failed)
    if wanted is Wanted.SUSPENDED:
        return _suspension_status(ordered, version, needs_attention=bool(failed))
    return _running_status(ordered, version, failed)


def _attention_status(failed: Sequence[ReportedPart]) -> OrderStatus:
    first = failed[0]
    reason = _("%(part)s: %(message)s") % {"part": first.part.label, "message": first.message}
    return OrderStatus(state=State.ATTENTION, reason=reason, needs_attention=True)


def _removal_status(parts: Sequence[ReportedPart], version: int) -> OrderStatus:
    left = [reported for reported in parts if reported.state is not PartState.REMOVED]
    if not left:
        return OrderStatus(state=State.REMOVED, reason=_("Removed: nothing is left."))
    failed = [reported for reported in left if reported.state is PartState.FAILED and reported.version == version]
    if failed:
        return _attention_status(failed)
    names = ", ".join(str(reported.part.label) for reported in reversed(left))
    return OrderStatus(state=State.REMOVING, reason=_("Still to be removed: %(parts)s.") % {"parts": names})


def _suspension_status(parts: Sequence[ReportedPart], version: int, *, needs_attention: bool) -> OrderStatus:
    composition = next((reported for reported in parts if reported.part is Part.COMPOSITION), None)
    if composition is None or (composition.version == version and composition.state is PartState.SUSPENDED):
        state, reason = State.SUSPENDED, _("Suspended: services are stopped, data is kept.")
    else:
        state, reason = State.ACTIVE, _("Suspending: services are stopping.")
    return OrderStatus(state=state, reason=reason, needs_attention=needs_attention)


def _running_status(parts: Sequence[ReportedPart], version: int, failed: Sequence[ReportedPart]) -> OrderStatus:
    arrived = {
        reported.part: reported for reported in parts if reported.version == version and reported.state in ARRIVED
    }
    for part in REQUIRED:
        if part not in arrived:
            return OrderStatus(state=State.PROVISIONING, reason=_waiting_for(part, parts, version))
    maintained = [reported for reported in arrived.values() if reported.state is PartState.MAINTENANCE]
    # During announced maintenance nothing that is down counts as a failure.
    down = [reported for reported in parts if reported.state is PartState.DOWN and not maintained]
    if down:
        return OrderStatus(state=State.DEGRADED, reason=down[0].message, needs_attention=True)
    if failed:
        labels = {"part": failed[0].part.label, "message": failed[0].message}
        reason = _("Running, but %(part)s needs attention: %(message)s") % labels
        return OrderStatus(state=State.ACTIVE, reason=reason, needs_attention=True)
    if maintained:
        return OrderStatus(state=State.ACTIVE, reason=maintained[0].message)
    if Part.MONITORING not in arrived:
        return OrderStatus(state=State.ACTIVE, reason=_("Running; monitoring pending."))
    return OrderStatus(state=State.ACTIVE, reason=_("Running; all checks passed."))


def _waiting_for(part: Part, parts: Sequence[ReportedPart], version: int) -> str:
    """The sentence for a part that is not there yet, with its own progress message if there is one."""
    current = (reported for reported in parts if reported.part is part and reported.version == version)
    message = next((reported.message for reported in current), "")
    sentence = _("Waiting for the %(part)s") % {"part": str(part.label).lower()}
    return f"{sentence}: {message}" if message else f"{sentence}."
