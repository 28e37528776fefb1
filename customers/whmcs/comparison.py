"""One client of WHMCS compared with its customer: what is written here, and what staff have to decide. Pure.

Three values of each field are compared: what WHMCS had at the last sync, what it has now, and what we have. Only one
side changed: WHMCS's change is taken, ours is listed as a conflict. Both did, differently: a conflict, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from customers.whmcs.field_owners import OWNED_BY_WHMCS


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that staff decide about."""

    field: str
    here: str
    there: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What follows from comparing."""

    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    conflicts: Sequence[Difference] = ()
    kept_here: Sequence[str] = ()


def compare(
    *, before: Mapping[str, str], now: Mapping[str, str], here: Mapping[str, str], kept_here: Sequence[str]
) -> Comparison:
    """The changes to write, and the conflicts to list.

    A field in `kept_here` stays as it is here until WHMCS changes it.
    """
    changes: dict[str, tuple[str, str]] = {}
    conflicts: list[Difference] = []
    kept = [name for name in kept_here if now.get(name) == before.get(name)]
    for name in OWNED_BY_WHMCS:
        if name not in now or now[name] == here.get(name, "") or name in kept:
            continue
        if here.get(name, "") == before.get(name, "") or name not in before:
            changes[name] = (here.get(name, ""), now[name])
        else:
            conflicts.append(Difference(field=name, here=here.get(name, ""), there=now[name]))
    return Comparison(changes=changes, conflicts=conflicts, kept_here=kept)
