"""Lets the planned faults fall, and takes back those that last."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.db import connection
from django_q.models import OrmQ

from billing.models import BillingRun
from core import clock
from core.engine.controller import controllers
from core.engine.queue import DOCUMENTS, enqueue
from infrastructure.sandbox.models import SandboxSwitches
from tests.chaos.database import Database
from tests.chaos.lives import patiently
from tests.chaos.machines import Machine, processes_of, signal_all
from tests.chaos.mail_server import MailServer
from tests.chaos.outside.part import OutsidePart
from tests.chaos.plan import KILLS, STRUCK, Fault, PlannedFault

SECONDS_TO_END = 10.0
NEXT_PERIODS = 35  # days ahead: by then every subscription's second month has begun
AT_ONCE = 3
LEASE_ENDS = (*KILLS, Fault.FREEZE_WORKER, Fault.LEASES_EXPIRED, Fault.CUT_CONNECTIONS, Fault.CRASH_DATABASE)
"""After these a worker may have handed a letter over without having noted it."""


class Faults:
    """Everything that can be made to fail, and what has fallen so far."""

    def __init__(
        self,
        *,
        run: str,
        database: Database,
        mail: MailServer,
        workers: list[Machine],
        site: Machine,
        outside: Mapping[str, OutsidePart],
    ) -> None:
        self.outside = outside
        self.database, self.mail, self.workers, self.site = database, mail, workers, site
        self.machines = [*workers, site]
        self._run = run
        self.fallen = Counter[Fault]()
        self.kills = 0  # processes of workers
        self.interrupted_sessions = 0
        self._ends: list[tuple[float, Callable[[], object]]] = []

    def fall(self, planned: PlannedFault, now: float) -> bool:
        """The fault has fallen, and ends by itself if it lasts; False for a kill that found nobody to kill."""
        if planned.fault in KILLS:
            killed = self._kill(planned)
            self.kills += killed
            self.fallen[planned.fault] += bool(killed)
            return bool(killed)
        self.fallen[planned.fault] += 1
        self._fall(planned, now)
        return True

    def _kill(self, planned: PlannedFault) -> int:
        """Returns how many processes were killed: those of the worker that the dice choose, or else of the other.

        One child of four is killed at any moment, the rest while their machine is up.
        """
        workers = random.Random(planned.choice).sample(self.workers, len(self.workers))  # noqa: S311
        for worker in workers:
            if planned.fault == Fault.KILL_WORKER:
                killed = int(worker.kill())
            elif planned.fault == Fault.KILL_CHILD and planned.choice % 4 == 0:
                killed = int(worker.kill_child(planned.choice // 4))
            else:
                killed = worker.kill_children(KILLS[planned.fault], planned.choice)
            if killed:
                return killed
        return 0

    def _fall(self, planned: PlannedFault, now: float) -> None:
        dice, until = random.Random(planned.choice), now + planned.seconds  # noqa: S311
        match planned.fault:
            case Fault.FREEZE_WORKER:
                frozen = dice.choice(self.workers).freeze()
                self._later(now + 25, lambda: signal_all(frozen, signal.SIGCONT))
            case Fault.KILL_SITE:
                self.site.kill_child(planned.choice)
            case Fault.CUT_CONNECTIONS:
                self.interrupted_sessions += self.database.cut_off()
            case Fault.CRASH_DATABASE:
                connection.close()
                self.database.crash_and_restart(planned.seconds / 4)
            case Fault.MAIL_DOWN:
                self.mail.is_down = True
                self._later(until, lambda: setattr(self.mail, "is_down", False))
            case Fault.MAIL_SLOW:
                self.mail.is_slow = True
                self._later(until + 10, lambda: setattr(self.mail, "is_slow", False))
            case Fault.MAIL_ANSWERS_LOST:
                self.mail.answers_to_lose += 2
            case kind if kind in STRUCK:
                self._strike(*STRUCK[kind], until)
            case _:
                patiently(lambda: self._fall_in_tables(planned, dice, until))

    def end_those_that_last(self, now: float) -> None:
        """What lasted until now is well again."""
        for entry in [entry for entry in self._ends if entry[0] <= now]:
            self._ends.remove(entry)
            patiently(entry[1])

    def heal(self) -> None:
        """Everything outside is well again."""
        self.end_those_that_last(float("inf"))
        self.mail.answers_to_lose = 0
        self._switch(lost_replies=0, failing_launches=0, failing_actions=0)

    def strays(self) -> set[int]:
        """The processes of this run that belong to no machine any more, and do not end by themselves."""
        return _what_stays(lambda: processes_of(self._run).difference(*(machine.family() for machine in self.machines)))

    def stop(self) -> set[int]:
        """Every machine has been stopped; returns the processes that it left."""
        for machine in self.machines:
            machine.stop()
        return _what_stays(lambda: processes_of(self._run))

    @property
    def blows(self) -> int:
        """How many times processes of workers were killed, whether one or some of them at once."""
        return sum(self.fallen[kind] for kind in KILLS)

    def letters_at_risk(self) -> int:
        """How many letters may have arrived twice: those whose acceptance could not be noted.

        Each worker process is at one letter at a time; what ends all of them costs one letter each.
        """
        processes = sum(self.fallen[kind] for kind in LEASE_ENDS) * len(self.workers) * 2
        return processes + self.mail.lost_answers

    def _strike(self, name: str, state: str, until: float) -> None:
        """The outside part is down or slow for some seconds, if it is there."""
        if part := self.outside.get(name):
            setattr(part, state, True)
            self._later(until, lambda: setattr(part, state, False))
        else:
            print(f"          {name} is not on the stage")  # noqa: T201

    def _fall_in_tables(self, planned: PlannedFault, dice: random.Random, until: float) -> None:
        match planned.fault:
            case Fault.CLOUD_DOWN:
                self._switch_for(until, {"is_down": True}, {"is_down": False})
            case Fault.CLOUD_SLOW:
                slow = {"build_seconds": 8, "launch_seconds": 8}
                self._switch_for(until, slow, {"build_seconds": 0.5, "launch_seconds": 0.5})
            case Fault.CLOUD_ANSWERS_LOST:
                self._switch(lost_replies=3)
            case Fault.CLOUD_REFUSES:
                self._switch(failing_launches=2, failing_actions=2)
            case Fault.ENDPOINTS_DOWN:
                self._switch_for(until, {"endpoints_down": True}, {"endpoints_down": False})
            case Fault.TASKS_TWICE:
                deliver_again(dice)
            case Fault.TASKS_LOST:
                lose_messages(dice)
            case Fault.LEASES_EXPIRED:
                end_leases(dice)
            case Fault.BILL_AT_ONCE:
                bill_at_once()
            case Fault.SWEEP:
                enqueue("core.engine.sweep.sweep")

    def _switch_for(self, until: float, bad: dict[str, float], good: dict[str, float]) -> None:
        self._switch(**bad)
        self._later(until, lambda: self._switch(**good))

    def _switch(self, **fields: float) -> None:
        patiently(lambda: SandboxSwitches.objects.update(**fields))

    def _later(self, at: float, end: Callable[[], object]) -> None:
        self._ends.append((at, end))


def _what_stays(find: Callable[[], set[int]]) -> set[int]:
    """What is found still after some seconds; processes that have just lost their first one take a moment to end."""
    until = time.monotonic() + SECONDS_TO_END
    while (found := find()) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def deliver_again(dice: random.Random) -> None:
    """Up to ten messages are on the queue once more, the last of them first."""
    messages = list(OrmQ.objects.order_by("-pk")[:40])
    chosen = messages if len(messages) < 10 else dice.sample(messages, 10)
    OrmQ.objects.bulk_create([OrmQ(key=row.key, payload=row.payload, lock=clock.now()) for row in chosen])


def lose_messages(dice: random.Random) -> None:
    """Half of what is on the queue is gone."""
    pks = list(OrmQ.objects.values_list("pk", flat=True))
    OrmQ.objects.filter(pk__in=dice.sample(pks, len(pks) // 2)).delete()


def end_leases(dice: random.Random) -> None:
    """Every other row that is held is free, and on the queue for another worker, while its holder goes on."""
    for controller in controllers():
        rows = controller.model._default_manager
        held = list(rows.filter(leased_until__gt=clock.now()).values_list("pk", flat=True))
        chosen = dice.sample(held, (len(held) + 1) // 2)
        rows.filter(pk__in=chosen).update(leased_until=clock.now() - timedelta(seconds=1), queued_at=None)


def bill_at_once() -> None:
    """One billing run, for the next periods of all subscriptions, is on the queue three times."""
    run = BillingRun.objects.create(day=clock.today() + timedelta(days=NEXT_PERIODS), due=0)
    for _ in range(AT_ONCE):
        enqueue("billing.invoicing.tasks.bill_requested", run.pk, queue=DOCUMENTS)
