"""A filled database of the former version keeps its rows and permissions under the new names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core import clock
from monitoring.models import BackendSli, BackendStatus, BackfillRequest, DataGap, IncidentOrder
from tests.monitoring.conftest import Room

BEFORE = "0011_incidents_by_hand"


@pytest.fixture
def migrated_back(room: Room) -> Iterator[tuple[Room, Any]]:
    """A running monitor in a database of the former version, and the models of that version."""
    room.watched()
    call_command("migrate", "monitoring", BEFORE, verbosity=0)
    yield room, MigrationExecutor(connection).loader.project_state([("monitoring", BEFORE)]).apps
    call_command("migrate", "monitoring", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_renamed_models_keep_their_rows_and_their_permissions(migrated_back: tuple[Room, Any]) -> None:
    _room, apps = migrated_back
    model = lambda name: apps.get_model("monitoring", name).objects  # noqa: E731
    now = clock.now()
    check = model("MonitorCheck").get()
    order = check.monitor.order_id
    model("Watcher").create(backend="zabbix", said="Zabbix 7.0", past_read_until=now, figures_read_at=now)
    model("WatchFigure").create(order_id=order, started_at=now, ended_at=now, uptime=9, downtime=1, read_at=now)
    model("Gap").create(monitor_check=check, started_at=now - timedelta(hours=1), ended_at=now)
    model("Silence").create(monitor_check=check, order_id=order, application="WMS", started_at=now, cause="No reading.")
    for resolved_at in (None, now):
        model("Incident").create(order_id=order, title="Down", started_at=now, resolved_at=resolved_at)
    group = Group.objects.create(name="Lookers")
    group.permissions.add(Permission.objects.get(codename="view_watcher"))

    call_command("migrate", "monitoring", verbosity=0)

    status = BackendStatus.objects.get(backend="zabbix")
    assert (status.test_report, status.history_read_until, status.sli_read_at) == ("Zabbix 7.0", now, now)
    assert (BackendSli.objects.get().uptime, BackendSli.objects.get().order_id) == (9, order)
    assert BackfillRequest.objects.get().monitor_check_id == check.pk
    assert DataGap.objects.get().cause == "No reading."
    ends = IncidentOrder.objects.filter(order=order).values_list("recovered_at", flat=True)
    assert set(ends) == {None, now}
    permission = group.permissions.get()
    assert (permission.codename, permission.content_type.model) == ("view_backendstatus", "backendstatus")
    assert not Permission.objects.filter(codename__in=("view_watcher", "view_gap", "view_silence")).exists()
