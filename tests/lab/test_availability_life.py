"""The whole life of a watched order: it breaks, is told of, heals, rests, is worked on and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from email.message import EmailMessage

import pytest
from django.conf import LazySettings
from django.test import Client

from core import clock
from monitoring.history.measurement import close_days, company_zone, today
from monitoring.incidents.services import post_update
from monitoring.maintenance.services import cancel_maintenance, plan_maintenance
from monitoring.models import (
    BackendSli,
    DailyAvailability,
    Incident,
    Maintenance,
    MonthlyReport,
    Outage,
    Problem,
)
from monitoring.reports.services import make_reports
from monitoring.status_pages.services import renew_link
from monitoring.zabbix_sync.tasks import read_sli
from orders.choices import Part, PartState, State
from orders.services import remove_order, resume_order, suspend_order
from tests.factories import UserFactory
from tests.lab.monitored_order import MonitoredOrder, forget_product, monitored_by
from tests.lab.smtp import taking_mail
from tests.lab.zabbix import VERSIONS, serving, zabbix

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

# Zabbix asks every other second, and so does the test; the rest is for a busy machine.
TOLERANCE = timedelta(seconds=15)
PROMISE, CREDIT = Decimal("99.9"), Decimal(10)


@pytest.fixture(params=list(VERSIONS))
def life(
    request: pytest.FixtureRequest, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MonitoredOrder]:
    """An order of a plan with a promise; nothing of it is left in Zabbix, however the test ends."""
    backend = zabbix(str(request.param))
    with serving() as address:
        life = monitored_by(backend, address, monkeypatch, sla_promise=PROMISE, sla_credit=CREDIT)
        yield life
        backend.remove_monitors([life.order.key])
        forget_product(backend, life.order)


@pytest.fixture
def letters(settings: LazySettings, socket_enabled: None) -> Iterator[list[EmailMessage]]:
    """What customers found in their mail; an incident opens and closes after a few seconds instead of minutes."""
    settings.INCIDENT_GRACE_MINUTES = settings.INCIDENT_CALM_MINUTES = 0.15
    with taking_mail(settings) as letters:
        yield letters


class Witness:
    """What really happened, by the test's own watch, and what everybody was told meanwhile."""

    def __init__(self, life: MonitoredOrder, letters: list[EmailMessage]) -> None:
        self.life, self.letters = life, letters
        self.page = renew_link(customer=life.order.customer)

    def status(self) -> tuple[str, str]:
        """What the customer's page says: the whole of it, and of the one service."""
        shown = Client().get(f"{self.page.url}status.json").json()
        return shown["status"]["indicator"], shown["services"][0]["indicator"]

    def subjects(self) -> list[str]:
        """What the customer was mailed, without the news of the order itself."""
        return [
            str(letter["Subject"]) for letter in self.letters if any(word in str(letter["Subject"]) for word in NEWS)
        ]


NEWS = ("Incident", "Resolved", "aintenance")


def text_of(letter: EmailMessage) -> str:
    """What the customer reads."""
    plain = letter.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


def near(found: datetime | None, happened: datetime) -> bool:
    """True if it was seen when it happened, or as soon after it as can be; Zabbix counts in whole seconds."""
    return found is not None and -timedelta(seconds=1) <= found - happened <= TOLERANCE


def state_is(life: MonitoredOrder, state: State) -> bool:
    return life.order.state == state


def test_order_is_watched_from_its_arrival_to_its_removal(
    life: MonitoredOrder, letters: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = Witness(life, letters)
    present = arrive(life, witness)
    outage = break_and_mend(life, witness)
    work = work_on_it(life, witness)
    pause = rest(life)
    removed_at = leave(life, present)
    days, month = backfill(life, monkeypatch)

    assert life.monitor.watched_from is not None
    watched = removed_at - life.monitor.watched_from
    existing = watched - pause - work
    assert about(days["down"], outage)
    assert about(days["maintenance"], work)
    assert about(days["up"], existing - outage)
    assert sum(days.values()) == whole_days(life)
    assert {name: getattr(month, name) for name in days} == days
    share = Decimal(100 * days["up"]) / (days["up"] + days["down"])
    assert month.availability == share.quantize(Decimal("0.01"), ROUND_DOWN) < PROMISE
    assert (month.outages, month.promise) == (1, PROMISE)
    assert (month.credit, month.credit_state) == (Decimal("4.90"), "due")


def arrive(life: MonitoredOrder, witness: Witness) -> dict[str, list[str]]:
    """Registered by the controller, read by the task, and up; what stands of it in Zabbix."""
    life.until(lambda: life.part_state()[0] == PartState.READY, "registered")
    present = life.rows_in_zabbix()
    assert {kind: len(ids) for kind, ids in present.items() if kind != "item"} == {
        "host": 1,
        "httptest": 1,
        "trigger": 1,
        "service": 1,
    }
    life.until(lambda: life.monitor.state == "up", "first reading")
    assert state_is(life, State.ACTIVE)
    assert life.monitor.backend == "zabbix"
    assert witness.status() == ("operational", "operational")
    return present


def break_and_mend(life: MonitoredOrder, witness: Witness) -> timedelta:
    """The address breaks: Zabbix, the order, the customer and the page say so; it is mended, and they say that."""
    broken_at, life.address.status = clock.now(), 503
    life.until(lambda: bool(life.problems()), "Zabbix's problem")
    (problem,) = life.problems()
    assert near(datetime.fromtimestamp(int(problem["clock"]), UTC), broken_at)
    life.until(lambda: state_is(life, State.DEGRADED), "degraded")
    assert "503" in life.order.reason
    life.until(lambda: Problem.objects.exists(), "problem among our rows", 20)
    row = Problem.objects.get()
    assert (row.monitor, row.event_id, row.severity) == (life.monitor, problem["eventid"], 4)
    assert row.name == "Maps is down"
    assert near(row.since, broken_at)
    outage = Outage.objects.get(order=life.order)
    assert near(outage.started_at, broken_at)
    assert outage.cause.status == 503
    assert witness.status() == ("major_outage", "major_outage")

    life.until(lambda: Incident.objects.exists() and len(witness.subjects()) == 1, "incident and its mail")
    incident = Incident.objects.get()
    assert (incident.orders.get(), incident.started_at, incident.impact) == (
        life.order,
        outage.started_at,
        "major_outage",
    )
    assert clock.now() - outage.started_at >= timedelta(seconds=9)
    (letter,) = (item for item in witness.letters if "Incident" in str(item["Subject"]))
    assert letter["To"] == life.order.customer.email
    assert f"/orders/{life.order.reference}/" in text_of(letter)

    post_update(incident=incident, state="identified", message="A disk is full.", actor=UserFactory(is_staff=True))
    assert "A disk is full." in Client().get(witness.page.url).content.decode()
    life.beat()
    assert len(witness.subjects()) == 1

    mended_at, life.address.status = clock.now(), 200
    life.until(lambda: state_is(life, State.ACTIVE) and not life.problems(), "recovery")
    outage.refresh_from_db()
    assert near(outage.ended_at, mended_at)
    life.until(lambda: not Problem.objects.exists(), "no problem among our rows", 20)
    compare_with_zabbix(life, mended_at - broken_at)
    life.until(lambda: not Incident.objects.ongoing().exists() and len(witness.subjects()) == 2, "all-clear")
    incident.refresh_from_db()
    assert (incident.state, incident.resolved_at) == ("resolved", outage.ended_at)
    assert incident.updates.filter(state="monitoring", actor=None).exists()
    assert witness.status() == ("operational", "operational")
    name = life.order.name
    assert witness.subjects() == [f"Incident: “{name}”", f"Resolved: “{name}”"]
    return mended_at - broken_at


def compare_with_zabbix(life: MonitoredOrder, outage: timedelta) -> None:
    """Zabbix's own reckoning of the same service comes to the same, once its services have caught up."""
    # Services are reckoned by a process of their own, every five seconds in the lab.
    life.until(lambda: bool(read_sli()) and figure(life).downtime > 0, "Zabbix's figures")
    assert about(figure(life).downtime, outage)


def figure(life: MonitoredOrder) -> BackendSli:
    return BackendSli.objects.filter(order=life.order).latest("started_at")


def work_on_it(life: MonitoredOrder, witness: Witness) -> timedelta:
    """A planned window in which it breaks and is mended: announced, shown, and nobody is alarmed."""
    # Zabbix counts in whole seconds: what breaks within the window's first second began at its full second.
    began_at = clock.now().replace(microsecond=0)
    window = plan_maintenance(
        title="New disks", starts_at=began_at, ends_at=began_at + timedelta(minutes=30), orders=[life.order]
    )
    life.address.status = 500
    life.until(lambda: life.monitor.state == "down" and bool(life.problems()), "down in maintenance")
    assert [[host["host"] for host in row["hosts"]] for row in life.windows(window.key)] == [[life.order.key]]
    assert life.part_state()[0] == PartState.MAINTENANCE
    assert life.part_state()[1].startswith("Under maintenance until")
    assert life.order.reason == life.part_state()[1]
    assert state_is(life, State.ACTIVE)
    assert witness.status() == ("maintenance", "maintenance")
    life.address.status = 200
    life.until(lambda: life.monitor.state == "up" and not life.problems(), "up in maintenance")
    cancel_maintenance(maintenance=Maintenance.objects.get(pk=window.pk))
    ended_at = clock.now()
    life.until(lambda: life.part_state()[0] == PartState.READY, "after maintenance")
    life.until(lambda: not life.windows(window.key), "window gone from Zabbix", 20)
    assert Incident.objects.count() == 1
    assert len(witness.subjects()) == 3
    assert any("New disks" in text_of(letter) for letter in witness.letters)
    return ended_at - began_at


def rest(life: MonitoredOrder) -> timedelta:
    """Suspended, it is asked nothing; resumed, it is the same host that wakes."""
    hosts = {"output": ["hostid", "status"], "filter": {"host": [life.order.key]}}
    suspended_at = clock.now()
    suspend_order(order=life.order)
    life.until(lambda: life.part_state()[0] == PartState.SUSPENDED, "paused")
    assert life.backend.client.call("host.get", hosts) == [{"hostid": life.monitor.outside_id, "status": "1"}]
    life.report_below(PartState.SUSPENDED)
    assert state_is(life, State.SUSPENDED)
    life.address.status = 500  # its composition is stopped: nothing may come of it
    for _ in range(5):
        life.beat()
    assert (life.monitor.state, life.order.state) == ("paused", State.SUSPENDED)
    life.address.status = 200

    resume_order(order=life.order)
    life.report_below()
    life.until(lambda: life.part_state()[0] == PartState.READY and life.monitor.state == "up", "awake", 90)
    assert life.backend.client.call("host.get", hosts) == [{"hostid": life.monitor.outside_id, "status": "0"}]
    assert state_is(life, State.ACTIVE)
    return clock.now() - suspended_at


def leave(life: MonitoredOrder, present: dict[str, list[str]]) -> datetime:
    """Removed: not one of the objects that were made is known to Zabbix any more."""
    remove_order(order=life.order)
    life.until(lambda: life.part_state()[0] == PartState.REMOVED, "deregistered")
    removed_at = clock.now()
    assert life.still_there(present) == {}
    assert life.rows_in_zabbix() == {kind: [] for kind in present}
    assert life.backend.left_behind([life.order.key]) == {}
    life.report_below(PartState.REMOVED)
    assert life.order.parts.get(part=Part.MONITORING).state == PartState.REMOVED
    assert Outage.objects.ongoing().count() == 0
    return removed_at


def backfill(life: MonitoredOrder, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, int], MonthlyReport]:
    """The days are over, and then the month is: their figures."""
    night = timedelta(days=1, hours=1)
    month = today().replace(day=1)
    for moment in (clock.now() + night, datetime(month.year, month.month, 1, 3, tzinfo=UTC) + timedelta(days=32)):
        with monkeypatch.context() as later:
            later.setattr(clock, "now", lambda moment=moment: moment)
            close_days()
            make_reports()
    rows = DailyAvailability.objects.filter(order=life.order, closed_at__isnull=False)
    days = {name: sum(getattr(row, name) for row in rows) for name in ("up", "down", "maintenance", "unknown")}
    return days, MonthlyReport.objects.get(order=life.order, month=month)


def whole_days(life: MonitoredOrder) -> int:
    """The seconds of the days on which it was watched; none of them is lost."""
    assert str(company_zone())
    return 86400 * DailyAvailability.objects.filter(order=life.order).count()


def about(seconds: int, length: timedelta) -> bool:
    """True if that is how long it took, but for how late its beginning and its end may be seen."""
    return abs(timedelta(seconds=seconds) - length) <= TOLERANCE
