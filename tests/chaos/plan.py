"""What will happen in a run: drawn from its seed before it begins, so that the same seed plays the same sequence."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from enum import StrEnum

from orders.choices import OrderAction

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))  # how long faults fall


class Fault(StrEnum):
    """What falls."""

    KILL_WORKER = "a worker's first process is killed"
    KILL_CHILD = "a process of a worker is killed"
    KILL_SOME = "some processes of a worker are killed at once"
    FREEZE_WORKER = "a worker stands still for longer than its leases"
    KILL_SITE = "the site is killed"
    CUT_CONNECTIONS = "every session of the database is ended"
    CRASH_DATABASE = "PostgreSQL crashes and recovers"
    MAIL_DOWN = "the mail server is down"
    MAIL_SLOW = "the mail server is slow"
    MAIL_ANSWERS_LOST = "the mail server accepts letters and its answers are lost"
    CLOUD_DOWN = "the cloud is down"
    CLOUD_SLOW = "the cloud is slow"
    CLOUD_ANSWERS_LOST = "the cloud obeys and its answers are lost"
    CLOUD_REFUSES = "the cloud refuses launches and server actions"
    ENDPOINTS_DOWN = "endpoints answer 503"
    TASKS_TWICE = "messages are delivered twice, in reverse"
    TASKS_LOST = "messages are lost"
    LEASES_EXPIRED = "leases end while their holders work"
    BILL_AT_ONCE = "one billing run is delivered three times"
    SWEEP = "the sweep runs out of turn"
    ZABBIX_DOWN = "Zabbix is down"
    ZABBIX_SLOW = "Zabbix is slow"
    ENGINE_DOWN = "the Docker Engine is down"
    ENGINE_SLOW = "the Docker Engine is slow"
    GITLAB_DOWN = "GitLab is down"
    GITLAB_SLOW = "GitLab is slow"
    WHMCS_DOWN = "WHMCS is down"
    WHMCS_SLOW = "WHMCS is slow"


# The outside part that a fault strikes, and what it is then; the parts are those of `tests.chaos.outside.stage`.
STRUCK = {
    Fault.ZABBIX_DOWN: ("zabbix", "is_down"),
    Fault.ZABBIX_SLOW: ("zabbix", "is_slow"),
    Fault.ENGINE_DOWN: ("engine", "is_down"),
    Fault.ENGINE_SLOW: ("engine", "is_slow"),
    Fault.GITLAB_DOWN: ("gitlab", "is_down"),
    Fault.GITLAB_SLOW: ("gitlab", "is_slow"),
    Fault.WHMCS_DOWN: ("whmcs", "is_down"),
    Fault.WHMCS_SLOW: ("whmcs", "is_slow"),
}

# Kills are what the engine is about: how many there are is said by itself. The processes that each of them kills:
KILLS = {Fault.KILL_CHILD: 1, Fault.KILL_WORKER: 1, Fault.KILL_SOME: 3}
KILL_WEIGHTS = (5, 2, 3)
WEIGHTS = {Fault.LEASES_EXPIRED: 4, Fault.TASKS_TWICE: 4}
VERBS = (
    OrderAction.UPGRADE,
    OrderAction.ROLL_BACK,
    OrderAction.SUSPEND,
    OrderAction.RESUME,
    OrderAction.CHANGE_INPUTS,
    OrderAction.ROTATE_SECRETS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A fault, its moment, and the number that chooses its victim and size."""

    at: float
    fault: Fault
    seconds: float
    choice: int


@dataclass(slots=True, kw_only=True)
class PlannedLife:
    """What is asked of one order, in this sequence; before the verbs marked hasty nobody waits for calm."""

    placed_at: float
    verbs: list[tuple[OrderAction, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole run."""

    faults: list[PlannedFault]
    lives: list[PlannedLife]


def draw_plan(seed: int, *, orders: int, faults: int, kills: int, seconds: float) -> Plan:
    """Faults besides kills, and lives, by two dice of their own: more orders leave the faults as they are."""
    return Plan(
        faults=_draw_faults(random.Random(f"faults {seed}"), faults, kills, seconds),  # noqa: S311
        lives=_draw_lives(random.Random(f"lives {seed}"), orders, seconds),  # noqa: S311
    )


def _draw_faults(dice: random.Random, count: int, kills: int, seconds: float) -> list[PlannedFault]:
    """Each kind once as far as the numbers go, the others by weight, at moments all over the time."""
    others = [kind for kind in Fault if kind not in KILLS]
    kinds = dice.sample(others, min(count, len(others)))
    kinds += dice.choices(others, [WEIGHTS.get(kind, 1) for kind in others], k=count - len(kinds))
    kinds += _draw_kills(dice, kills)
    dice.shuffle(kinds)
    moments = sorted(dice.uniform(2, seconds) for _ in kinds)
    return [
        PlannedFault(at=at, fault=kind, seconds=dice.uniform(2, 8), choice=dice.randrange(10**6))
        for at, kind in zip(moments, kinds, strict=True)
    ]


def _draw_kills(dice: random.Random, kills: int) -> list[Fault]:
    """Each kind of kill once, the others by weight; so many processes are killed by all of them."""
    kinds = list(KILLS) if kills >= sum(KILLS.values()) else []
    while (left := kills - sum(KILLS[kind] for kind in kinds)) > 0:
        (kind,) = dice.choices(list(KILLS), KILL_WEIGHTS)
        kinds.append(kind if KILLS[kind] <= left else Fault.KILL_CHILD)
    return kinds


def _draw_lives(dice: random.Random, count: int, seconds: float) -> list[PlannedLife]:
    return [_draw_life(dice, seconds) for _ in range(count)]


def _draw_life(dice: random.Random, seconds: float) -> PlannedLife:
    """Up to three changes of mind; then half of the orders are removed, some are left suspended."""
    life = PlannedLife(placed_at=dice.uniform(0, seconds * 0.5))
    verbs = dice.choices(VERBS, k=dice.randrange(4))
    end = dice.random()
    if end < 0.5:
        verbs.append(OrderAction.REMOVE)
    elif end < 0.65:
        verbs.append(OrderAction.SUSPEND)
    life.verbs = [(verb, dice.random() < 0.3) for verb in verbs]
    return life
