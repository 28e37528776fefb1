"""Beside its bars an order shows promise and figures, problems, certificates, and the way into Zabbix."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from monitoring.incidents.services import open_incident
from monitoring.maintenance.services import plan_maintenance
from monitoring.models import BackendSli, BackendStatus, Monitor, MonitorCheck, Outage, Problem
from monitoring.order_panel.figures import PromiseComparison, expiry_of, links_into_zabbix, promise_comparisons
from orders.models import Order
from tests.factories import UserFactory
from tests.monitoring.conftest import Room

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "message", "tone"),
    [
        (timedelta(days=40), "expires in 40 days", ""),
        (timedelta(days=30), "expires in 30 days", ""),
        (timedelta(days=29, hours=23), "expires in 29 days", "warning"),
        (timedelta(days=14), "expires in 14 days", "warning"),
        (timedelta(days=13, hours=23), "expires in 13 days", "danger"),
        (timedelta(days=1, hours=1), "expires in 1 day", "danger"),
        (timedelta(hours=2), "expires in 0 days", "danger"),
        (timedelta(hours=-1), "expired 14 Mar 2026", "danger"),
    ],
)
def test_certificate_says_how_long_it_lasts(left: timedelta, message: str, tone: str) -> None:
    expiry = expiry_of(NOON + left, now=NOON)
    assert expiry is not None
    assert (expiry.text, expiry.tone) == (message, tone)


def test_both_steps_are_settings(settings: Settings) -> None:
    settings.CERTIFICATE_WARN_DAYS, settings.CERTIFICATE_TROUBLE_DAYS = 60, 2
    tones = [expiry.tone for days in (61, 59, 3, 1) if (expiry := expiry_of(NOON + timedelta(days=days), now=NOON))]
    assert tones == ["", "warning", "warning", "danger"]


def test_address_without_a_certificate_says_nothing_of_it() -> None:
    assert expiry_of(None, now=NOON) is None


@pytest.mark.parametrize(
    ("ours", "promise", "tone"), [("99.95", "99.9", "success"), ("99.80", "99.9", "danger"), ("99.80", None, "")]
)
def test_figure_below_the_promise_is_red(ours: str, promise: str | None, tone: str) -> None:
    assert PromiseComparison(title="x", ours=Decimal(ours), promise=Decimal(promise) if promise else None).tone == tone


def promised(order: Order) -> Order:
    Order.objects.filter(pk=order.pk).update(agreed_promise=Decimal("99.90"))
    return Order.objects.get(pk=order.pk)


@pytest.mark.django_db
def test_figures_of_both_are_about_the_same_time(room: Room) -> None:
    order = promised(room.watched())
    start = room.drive.now
    read_at = start + timedelta(seconds=200)
    BackendSli.objects.create(
        order=order, started_at=start, ended_at=start + timedelta(days=30), uptime=195, downtime=5, read_at=read_at
    )
    Outage.objects.create(order=order, application="WMS", started_at=start, ended_at=start + timedelta(seconds=4))
    Outage.objects.create(order=order, application="WMS", started_at=read_at, ended_at=read_at + timedelta(seconds=500))
    for _ in range(5):
        room.minute()
    (kept,) = promise_comparisons(order)
    assert (kept.theirs, kept.promise) == (Decimal("97.50"), Decimal("99.90"))
    assert kept.ours == Decimal("98.00")
    assert kept.tone == "danger"


@pytest.mark.django_db
def test_figure_that_was_read_before_our_first_reading_hides_nothing(room: Room) -> None:
    order = room.watched()
    start = room.drive.now
    BackendSli.objects.create(
        order=order,
        started_at=start - timedelta(days=9),
        ended_at=start + timedelta(days=21),
        uptime=19,
        downtime=0,
        read_at=start,
    )
    for _ in range(3):
        room.minute()
    (kept,) = promise_comparisons(order)
    assert (kept.ours, kept.theirs) == (Decimal("100.00"), None)


@pytest.mark.django_db
def test_without_figures_of_the_watcher_this_month_is_measured(room: Room) -> None:
    order = room.watched()
    room.minute()
    (kept,) = promise_comparisons(order)
    assert (kept.ours, kept.theirs, kept.promise, kept.tone) == (Decimal("100.00"), None, None, "")


@pytest.mark.django_db
def test_links_lead_into_the_zabbix_that_watches_and_nowhere_else(room: Room) -> None:
    monitor = room.monitor(room.watched())
    assert list(links_into_zabbix(monitor)) == []
    monitor.backend, monitor.outside_id, monitor.outside_url = "zabbix", "10084", "https://zabbix.example/zabbix/"
    latest, problems = [url for url, _message in links_into_zabbix(monitor)]
    assert latest == (
        "https://zabbix.example/zabbix/zabbix.php?action=latest.view&hostids%5B%5D=10084&filter_name=&filter_set=1"
    )
    assert "action=problem.view" in problems


@pytest.mark.django_db
def test_order_page_shows_all_of_it(client: Client, room: Room) -> None:
    order = promised(room.watched())
    monitor = room.monitor(order)
    Monitor.objects.filter(pk=monitor.pk).update(
        backend="zabbix", outside_id="10084", outside_url="https://zabbix.example"
    )
    MonitorCheck.objects.update(certificate_until=room.drive.now + timedelta(days=5, hours=1))
    Problem.objects.create(
        monitor=monitor, event_id="7", name="Disk is full", severity=5, since=room.drive.now, is_acknowledged=True
    )
    BackendStatus.objects.create(backend="zabbix", failing_since=room.drive.now, last_error="Zabbix cannot be reached")
    room.minute()
    open_incident(orders=[order], title="Tiles are slow", impact="degraded", message="We are looking.")
    later = room.drive.now + timedelta(hours=2)
    plan_maintenance(title="New disks", starts_at=later, ends_at=later + timedelta(hours=1), orders=[order])
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    for shown in (
        "expires in 5 days",
        "Disk is full",
        "Disaster",
        "promised 99.90 %",
        "Problems in Zabbix",
        "https://zabbix.example/zabbix.php?action=latest.view",
        "Zabbix cannot be reached",
        "Tiles are slow",
        "New disks",
        "Scheduled",
    ):
        assert shown in page, shown
