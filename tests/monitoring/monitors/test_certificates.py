"""When a certificate expires is known of every address that has one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from infrastructure.models import Endpoint
from monitoring.choices import CheckState
from monitoring.models import MonitorCheck
from monitoring.monitors import certificates, tasks
from monitoring.monitors.services import reconcile_all
from orders.services import suspend_order
from tests.monitoring.conftest import MINUTE, Room

pytestmark = pytest.mark.django_db

EXPIRY = datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_certificate_that_whoever_watches_has_seen_is_kept(room: Room) -> None:
    order = room.watched()
    room.backend.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    check = MonitorCheck.objects.get()
    assert (check.certificate_until, check.certificate_checked_at) == (EXPIRY, room.drive.now)
    assert check.state == CheckState.UP


def test_certificate_is_written_when_it_changes_and_twice_a_day(room: Room) -> None:
    order = room.watched()
    room.backend.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    first = room.drive.now
    room.minute()
    assert MonitorCheck.objects.get().certificate_checked_at == first
    room.backend.certificates[order.key, "wms"] = EXPIRY + timedelta(days=90)
    room.minute()
    check = MonitorCheck.objects.get()
    assert (check.certificate_until, check.certificate_checked_at) == (EXPIRY + timedelta(days=90), room.drive.now)
    room.drive.now += timedelta(hours=12)
    room.minute()
    assert MonitorCheck.objects.get().certificate_checked_at == room.drive.now


def test_silence_about_the_certificate_forgets_nothing(room: Room) -> None:
    order = room.watched()
    room.backend.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    room.backend.certificates.clear()
    room.drive.now += 2 * MINUTE
    room.minute()
    assert MonitorCheck.objects.get().certificate_until == EXPIRY


class Shown:
    """The certificates that addresses show when asked."""

    def __init__(self) -> None:
        self.expiries: dict[tuple[str, int], datetime] = {("maps.example", 443): EXPIRY}
        self.asked: list[Sequence[tuple[str, int]]] = []

    def read(self, addresses: Sequence[tuple[str, int]]) -> list[datetime | None]:
        self.asked.append(addresses)
        return [self.expiries.get(address) for address in addresses]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What `monitoring.backends.read_expiries` asks."""
    shown = Shown()
    monkeypatch.setattr("monitoring.backends.read_expiries", shown.read)
    return shown


def test_addresses_are_asked_once_a_day_and_once_for_all_their_checks(room: Room, shown: Shown) -> None:
    room.watched("wms", "csw")
    assert tasks.read_certificates() == 2
    assert shown.asked == [[("maps.example", 443)]]
    assert set(MonitorCheck.objects.values_list("certificate_until", flat=True)) == {EXPIRY}
    room.drive.now += timedelta(hours=23)
    assert tasks.read_certificates() == 0
    room.drive.now += timedelta(hours=1)
    assert tasks.read_certificates() == 2


def test_address_that_shows_none_keeps_what_was_known_and_is_asked_again(room: Room, shown: Shown) -> None:
    room.watched()
    tasks.read_certificates()
    shown.expiries.clear()
    room.drive.now += timedelta(days=1)
    assert tasks.read_certificates() == 0
    assert MonitorCheck.objects.get().certificate_until == EXPIRY
    assert tasks.read_certificates() == 0
    assert len(shown.asked) == 3


def test_address_whose_certificate_whoever_watches_tells_is_not_asked(room: Room, shown: Shown) -> None:
    order = room.watched()
    room.backend.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    tasks.read_certificates()
    assert shown.asked == [[]]


def test_only_secure_addresses_of_running_orders_are_asked(room: Room, shown: Shown) -> None:
    room.watched()
    Endpoint.objects.update(check_url="http://maps.example/wms")
    resting = room.watched()
    suspend_order(order=resting)
    reconcile_all()
    tasks.read_certificates()
    assert shown.asked == [[]]


def test_more_than_a_page_is_left_to_the_next_task(room: Room, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[tuple[object, ...]] = []
    monkeypatch.setattr(certificates, "AT_ONCE", 2)
    monkeypatch.setattr(tasks, "AT_ONCE", 2)
    monkeypatch.setattr(tasks, "enqueue", lambda *args: waiting.append(args))
    room.watched("wms", "csw", "wfs")
    assert tasks.read_certificates() == 2
    ((task, after),) = waiting
    assert task == "monitoring.monitors.tasks.read_certificates"
    assert isinstance(after, int)
    assert tasks.read_certificates(after) == 1
    assert len(waiting) == 1
