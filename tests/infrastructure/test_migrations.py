"""Rows, content types, roles and grants of the version before survive the new names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps as current
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.factories import UserFactory, make_draft

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = {"infrastructure": "0016_provider_is_enabled_by_test", "sandbox": "0002_servers_rest_and_reboot"}
THEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
RENAMED = {
    "view_errand": ("view_serveraction", "Can view server action"),
    "view_finding": ("view_driftfinding", "Can view drift finding"),
    "view_look": ("view_observation", "Can view observation"),
    "view_reconciliation": ("view_driftscan", "Can view drift scan"),
    "settle_finding": ("resolve_driftfinding", "Can accept drift findings, rebuild ghosts and adopt orphans"),
}


@pytest.fixture
def version_before() -> Iterator[Any]:
    """The models of the version before, on a database that is migrated back to it; everything is current afterwards."""
    for app, name in BEFORE.items():
        call_command("migrate", app, name, verbosity=0)
    nodes = list(BEFORE.items())
    yield MigrationLoader(connection).project_state(nodes).apps
    call_command("migrate", verbosity=0)


def test_rows_and_grants_of_the_version_before_survive(version_before: Any) -> None:
    old = version_before.get_model
    provider = old("infrastructure", "Provider").objects.create(slug="cloud", name="Cloud", kind="sandbox")
    old("infrastructure", "Look").objects.create(
        provider=provider, thing="engine", engine="host 1", asked_at=THEN, weighed_at=THEN, trouble="no route"
    )
    old("infrastructure", "Reconciliation").objects.create(provider=provider, servers_seen=7)
    old("infrastructure", "Finding").objects.create(
        provider=provider,
        kind="orphan",
        thing="server",
        key="live-GL1",
        ours="a",
        theirs="b",
        first_seen_at=THEN,
        last_seen_at=THEN,
        settled_at=THEN,
    )
    pool = old("infrastructure", "Provider").objects.create(slug="pool", name="Pool", kind="existing")
    old("infrastructure", "Host").objects.create(
        provider=pool,
        name="h",
        address="h.test",
        host_key="k",
        cpus=1,
        ram_gb=1,
        disk_gb=1,
        answer="Up.",
        asked_at=THEN,
    )
    user, order = UserFactory(), make_draft()
    server = old("infrastructure", "Server").objects.create(order_id=order.pk, provider=provider)
    old("infrastructure", "Errand").objects.create(
        server=server, verb="reboot", told="reboot", told_at=THEN, heard_at=THEN, asked_by_id=user.pk
    )
    old("sandbox", "SandboxSwitches").objects.create(provider=provider, failing_errands=3)
    held = Group.objects.create(name="Night shift")
    held.permissions.set(Permission.objects.filter(codename__in=RENAMED))
    assert held.permissions.count() == len(RENAMED)
    content_types = set(ContentType.objects.filter(app_label="infrastructure").values_list("pk", flat=True))

    call_command("migrate", verbosity=0)

    new = current.get_model
    observation = new("infrastructure", "Observation").objects.get()
    assert (observation.attempted_at, observation.disk_measured_at, observation.error) == (THEN, THEN, "no route")
    assert new("infrastructure", "DriftScan").objects.get().servers_seen == 7
    finding = new("infrastructure", "DriftFinding").objects.get()
    assert (finding.expected, finding.actual, finding.resolved_at) == ("a", "b", THEN)
    action = new("infrastructure", "ServerAction").objects.get()
    assert (action.server_id, action.requested_step, action.requested_by) == (server.pk, "reboot", user)
    assert (action.requested_at, action.acknowledged_at) == (THEN, THEN)
    host = new("infrastructure", "Host").objects.get()
    assert (host.status_message, host.checked_at) == ("Up.", THEN)
    assert new("sandbox", "SandboxSwitches").objects.get().failing_actions == 3
    assert set(held.permissions.values_list("codename", "name")) == set(RENAMED.values())
    assert not Permission.objects.filter(codename__in=RENAMED).exists()
    assert set(ContentType.objects.filter(app_label="infrastructure").values_list("pk", flat=True)) == content_types
