"""When a certificate expires is known of every address that has one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.models import MonitorCheck
from monitoring.words import CheckState
from tests.monitoring.conftest import MINUTE, Room

pytestmark = pytest.mark.django_db

EXPIRY = datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_certificate_that_whoever_watches_has_seen_is_kept(room: Room) -> None:
    order = room.watched()
    room.watch.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    check = MonitorCheck.objects.get()
    assert (check.certificate_until, check.certificate_checked_at) == (EXPIRY, room.drive.now)
    assert check.state == CheckState.UP


def test_certificate_is_written_when_it_changes_and_twice_a_day(room: Room) -> None:
    order = room.watched()
    room.watch.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    first = room.drive.now
    room.minute()
    assert MonitorCheck.objects.get().certificate_checked_at == first
    room.watch.certificates[order.key, "wms"] = EXPIRY + timedelta(days=90)
    room.minute()
    check = MonitorCheck.objects.get()
    assert (check.certificate_until, check.certificate_checked_at) == (EXPIRY + timedelta(days=90), room.drive.now)
    room.drive.now += timedelta(hours=12)
    room.minute()
    assert MonitorCheck.objects.get().certificate_checked_at == room.drive.now


def test_silence_about_the_certificate_forgets_nothing(room: Room) -> None:
    order = room.watched()
    room.watch.certificates[order.key, "wms"] = EXPIRY
    room.minute()
    room.watch.certificates.clear()
    room.drive.now += 2 * MINUTE
    room.minute()
    assert MonitorCheck.objects.get().certificate_until == EXPIRY
