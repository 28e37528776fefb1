"""Orders live on while workers are killed and everything around them fails: none lost, none doubled, none left over."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.engine.queue import enqueue, read_queue
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from products.models import Release, ReleaseBundle
from tests.chaos import invariants
from tests.chaos.faults import Faults, bill_at_once
from tests.chaos.lives import Life, is_quiet, never_synced, orders_of, patiently
from tests.chaos.machines import command_of
from tests.chaos.outside.part import OutsidePart
from tests.chaos.plan import SECONDS, Fault, PlannedFault, PlannedLife, draw_plan
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory

pytestmark = pytest.mark.chaos

ORDERS = int(os.environ.get("CHAOS_ORDERS", "24"))
FAULTS = int(os.environ.get("CHAOS_FAULTS", "28"))
KILLS = int(os.environ.get("CHAOS_KILLS", "14"))  # processes that are killed besides
SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
SETTLED_WITHIN = float(os.environ.get("CHAOS_SETTLED_WITHIN", "300"))  # seconds after the last fault
SIGNATURES = 60  # tasks that show which processes work
LOOK_EVERY = 0.3


def make_lives(planned: list[PlannedLife], parts: Iterable[OutsidePart]) -> list[Life]:
    """A customer for every four orders, of one product with three releases, in a sandbox that is quick.

    An outside part may choose otherwise for the orders that it has to do with.
    """
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX, rank=1)
    SandboxSwitches.objects.create(provider=provider, build_seconds=0.5, launch_seconds=0.5)
    first = _release("v1", product__slug=f"chaos-{secrets.token_hex(4)}", product__config_repo=never_synced())
    releases = [first, *(_release(version, product=first.product) for version in ("v2", "v3"))]
    plans = [
        PlanFactory(product=first.product, slug=slug, auto_approve=auto_approve)
        for slug, auto_approve in (("small", True), ("reviewed", False))
    ]
    customers = [CustomerFactory() for _ in planned[::4]]
    fields: list[dict[str, Any]] = [
        {
            "release": first,
            "plan": plans[number % 5 == 0],
            "customer": customers[number // 4],
            "name": f"maps {number}",
            "sandbox": True,
        }
        for number, _life in enumerate(planned)
    ]
    for part in parts:
        part.cast(fields)
    return [
        own.pop("life", Life)(life, own.pop("releases", releases), own)
        for life, own in zip(planned, fields, strict=True)
    ]


def _release(version: str, **fields: object) -> Release:
    compose = f"services:\n  gateway:\n    image: maps:{version}\n    expose: ['80']\n"
    release: Release = ReleaseFactory(version=version, compose=compose, **fields)
    ReleaseBundle.objects.create(release=release, archive=b"")
    return release


class Run:
    """One run: people and faults go on side by side, and at its end everything has to be settled."""

    def __init__(self, faults: Faults, planned: list[PlannedFault], lives: list[Life]) -> None:
        self.faults, self._planned, self.lives = faults, list(planned), lives
        self.asked = Counter[str]()
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun

    def play(self) -> None:
        """All planned faults have fallen and have ended."""
        while self._planned or self.seconds < SECONDS:
            while self._planned and self._planned[0].at <= self.seconds:
                planned = self._planned.pop(0)
                print(f"{self.seconds:6.1f} s  {planned.fault}")  # noqa: T201
                if not self.faults.fall(planned, self.seconds):
                    self._once_more(planned)
            self._fill_up()
            self.faults.end_those_that_last(self.seconds)
            self._look()
        self.faults.heal()

    def _once_more(self, planned: PlannedFault) -> None:
        """A kill that found nobody, as its machine was not up, falls some seconds later."""
        print("          nobody was there; later once more")  # noqa: T201
        self._planned.append(replace(planned, at=self.seconds + 1 + planned.choice % 5, choice=planned.choice + 1))
        self._planned.sort(key=lambda planned: planned.at)

    def _fill_up(self) -> None:
        """What a kill of several processes missed, as some had just ended, is killed one by one."""
        if not self._planned and self.faults.kills < KILLS:
            later = PlannedFault(at=self.seconds + 1, fault=Fault.KILL_CHILD, seconds=0, choice=self.faults.kills)
            self._planned.append(later)

    def settle(self) -> float:
        """Every order is where it is wanted and nothing is left to do; returns the seconds that it took."""
        begun = self.seconds
        patiently(bill_at_once)
        while not self._is_over():
            if self.seconds - begun > SETTLED_WITHIN:
                break  # what is not settled is named by the invariants
            self._look()
        return self.seconds - begun

    def _look(self) -> None:
        orders = orders_of(self.lives)
        for life in self.lives:
            life.live_on(self.seconds, self.asked, orders.get(life.pk))
        for machine in self.faults.machines:
            machine.keep_up()
        for part in self.faults.outside.values():
            part.live_on(self.seconds, self.lives)
        time.sleep(LOOK_EVERY)

    def _is_over(self) -> bool:
        parts = self.faults.outside.values()
        orders = orders_of(self.lives)
        return all(life.is_over(orders.get(life.pk)) for life in self.lives) and patiently(
            lambda: all(part.is_over() for part in parts) and self._is_idle()
        )

    def _is_idle(self) -> bool:
        return is_quiet() and not read_queue().waiting


def idle_workers(faults: Faults, folder: Path) -> list[str]:
    """The worker machines of which fewer than two processes run tasks, though there is enough to do for all."""
    folder.mkdir()
    for _ in range(SIGNATURES):
        enqueue("tests.chaos.witness.sign", str(folder), 0.3)
    until = time.monotonic() + 60
    idle = [worker.name for worker in faults.workers]
    while idle and time.monotonic() < until:
        signed = {int(path.name) for path in folder.iterdir()}
        idle = [worker.name for worker in faults.workers if len(signed & set(worker.children())) < 2]
        time.sleep(0.5)
    return idle


def problems_of_processes(faults: Faults, folder: Path) -> Iterator[str]:
    """Each worker goes by the database's clock and is at work, and what was started ends with its machine."""
    for worker in faults.workers:
        if "times are taken from the database" not in worker.log.read_text():
            yield f"{worker.name} has a wrong clock and does not know it"
    yield from (f"{name} lives and does nothing" for name in idle_workers(faults, folder))
    yield from (f"process {pid} belongs to no machine: {command_of(pid)}" for pid in faults.strays())
    yield from (f"process {pid} outlives its machine: {command_of(pid)}" for pid in faults.stop())


def test_orders_are_where_they_are_wanted_whatever_falls(faults: Faults, tmp_path: Path) -> None:
    print(f"CHAOS_SEED={SEED}: {ORDERS} orders, {FAULTS} faults and {KILLS} kills in {SECONDS:.0f} s")  # noqa: T201
    plan = draw_plan(SEED, orders=ORDERS, faults=FAULTS, kills=KILLS, seconds=SECONDS)
    run = Run(faults, plan.faults, make_lives(plan.lives, faults.outside.values()))
    run.play()
    took = run.settle()
    retried = sum(life.was_retried for life in run.lives)
    print(  # noqa: T201
        f"settled after {took:.0f} s; asked: {dict(run.asked)}; retried by staff: {retried}; "
        f"{faults.kills} of {KILLS} kills in {faults.blows} blows; letters: {len(faults.mail.letters)}, "
        f"{sum(faults.mail.letters.values()) - len(faults.mail.letters)} of them again"
    )
    assert faults.kills == KILLS
    problems = [
        *invariants.problems_of_orders(run.lives),
        *invariants.problems_outside(),
        *invariants.problems_of_billing(),
        *invariants.problems_of_mail(faults.mail.letters, faults.letters_at_risk()),
        *invariants.problems_of_the_engine(),
        *(problem for part in faults.outside.values() for problem in part.problems()),
        *problems_of_processes(faults, tmp_path / "signatures"),
    ]
    assert not problems, "\n".join([f"replay it by CHAOS_SEED={SEED}", *problems])
