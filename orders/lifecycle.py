"""Which part may move when: the order of arrival and of leaving. Pure values, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
# The parts that others wait for, on their way in or out.
AWAITED = frozenset(part for waits in (ARRIVES_AFTER, LEAVES_AFTER) for before in waits.values() for part in before)
# What must be there before an order is active: an outage of the monitoring holds no customer back.
REQUIRED = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
# A part that is there, whether or not it does well at the moment.
ARRIVED = (PartState.READY, PartState.DOWN, PartState.RESTING)
GOAL: Mapping[Wanted, PartState] = {
    Wanted.RUNNING: PartState.READY,
    Wanted.SUSPENDED: PartState.SUSPENDED,
    Wanted.REMOVED: PartState.REMOVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSeen:
    """What was last reported of a part, and for which version of the order's wish."""

    part: Part
    state: PartState
    version: int
    message: str = ""
    told: str | None = None
    """What customers read instead of the message; none where it is for everybody."""

    @property
    def to_customers(self) -> PartSeen:
        """The same, with nothing in it that is for staff."""
        return self if self.told is None else replace(self, message=self.told, told=None)


def may_move(part: Part, *, wanted: Wanted, version: int, seen: Iterable[PartSeen]) -> bool:
    """True when every part that has to come before `part` is where `wanted` asks it to be.

    A suspension waits for nothing. On removal, a part that never existed stands in nobody's way.
    """
    by_part = {one.part: one for one in seen}
    if wanted is Wanted.SUSPENDED:
        return True
    if wanted is Wanted.REMOVED:
        before = [by_part[other] for other in LEAVES_AFTER[part] if other in by_part]
        return all(one.state is PartState.REMOVED for one in before)
    return all(
        (one := by_part.get(other)) is not None and one.version == version and one.state in ARRIVED
        for other in ARRIVES_AFTER[part]
    )


def lets_others_move(part: Part, state: PartState) -> bool:
    """True when `part` in `state` may be what another part waits for."""
    return part in AWAITED and state not in (PartState.WORKING, PartState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an order stands, why, and whether a person has to act."""

    state: State
    reason: str
    needs_person: bool = False


def standing(*, wanted: Wanted, version: int, placed: bool, approved: bool, seen: Iterable[PartSeen]) -> Standing:
    """The state of an order and the sentence that explains it."""
    parts = sorted(seen, key=lambda one: list(Part).index(one.part))
    if wanted is Wanted.REMOVED:
        return _leaving(parts, version)
    if not placed:
        return Standing(state=State.DRAFT, reason=_("Being put together; nothing has been started."))
    if not approved:
        return Standing(state=State.PENDING, reason=_("Placed; waiting for approval."))
    failed = [one for one in parts if one.state is PartState.FAILED and one.version == version]
    if any(one.part in REQUIRED for one in failed):
        return _attention(failed)
    if wanted is Wanted.SUSPENDED:
        return _resting(parts, version, needs_person=bool(failed))
    return _arriving(parts, version, failed)


def _attention(failed: list[PartSeen]) -> Standing:
    first = failed[0]
    reason = _("%(part)s: %(message)s") % {"part": first.part.label, "message": first.message}
    return Standing(state=State.ATTENTION, reason=reason, needs_person=True)


def _leaving(parts: list[PartSeen], version: int) -> Standing:
    left = [one for one in parts if one.state is not PartState.REMOVED]
    if not left:
        return Standing(state=State.REMOVED, reason=_("Removed; nothing is left."))
    if failed := [one for one in left if one.state is PartState.FAILED and one.version == version]:
        return _attention(failed)
    names = ", ".join(str(one.part.label) for one in reversed(left))
    return Standing(state=State.REMOVING, reason=_("Still to be removed: %(parts)s.") % {"parts": names})


def _resting(parts: list[PartSeen], version: int, *, needs_person: bool) -> Standing:
    composition = next((one for one in parts if one.part is Part.COMPOSITION), None)
    if composition is None or (composition.version == version and composition.state is PartState.SUSPENDED):
        return Standing(state=State.SUSPENDED, reason=_("Stopped; its data is kept."), needs_person=needs_person)
    return Standing(state=State.ACTIVE, reason=_("Being suspended: services are stopping."), needs_person=needs_person)


def _arriving(parts: list[PartSeen], version: int, failed: list[PartSeen]) -> Standing:
    there = {one.part: one for one in parts if one.version == version and one.state in ARRIVED}
    for part in REQUIRED:
        if part not in there:
            return Standing(state=State.PROVISIONING, reason=_waiting_for(part, parts, version))
    resting = [one for one in there.values() if one.state is PartState.RESTING]
    # What was announced is no trouble, whatever is down meanwhile.
    down = [one for one in parts if one.state is PartState.DOWN and not resting]
    if down:
        return Standing(state=State.DEGRADED, reason=down[0].message, needs_person=True)
    if failed:
        reason = _("Running, but %(part)s needs a person: %(message)s") % {
            "part": failed[0].part.label,
            "message": failed[0].message,
        }
        return Standing(state=State.ACTIVE, reason=reason, needs_person=True)
    if resting:
        return Standing(state=State.ACTIVE, reason=resting[0].message)
    if Part.MONITORING not in there:
        return Standing(state=State.ACTIVE, reason=_("Running; monitoring pending."))
    return Standing(state=State.ACTIVE, reason=_("Running; every check has passed."))


def _waiting_for(part: Part, parts: list[PartSeen], version: int) -> str:
    said = next((one.message for one in parts if one.part is part and one.version == version), "")
    words = _("Waiting for the %(part)s") % {"part": str(part.label).lower()}
    return f"{words}: {said}" if said else f"{words}."
