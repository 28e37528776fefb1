"""Staff keep providers, look at what runs, and ask for another try."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import User
from infrastructure.models import Deployment, Endpoint, Provider, Server
from infrastructure.providers.connection import test_connection as ask_provider
from infrastructure.sandbox.models import SandboxSwitches
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report
from tests.factories import UserFactory, make_draft
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import FakeRuntime

pytestmark = pytest.mark.django_db

PROVIDERS = "/admin/infrastructure/provider/"


def staff(*permissions: str) -> User:
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def operator(client: Client) -> Client:
    """Signed in; keeps providers and steers orders."""
    rows = ("view_server", "view_deployment", "view_endpoint", "steer_order")
    client.force_login(staff(*rows, "view_provider", "add_provider", "change_provider", "change_sandboxswitches"))
    return client


@pytest.fixture
def sandbox() -> Provider:
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider)
    return provider


def failed(provider: Provider) -> Server:
    """A server whose order waits for a person."""
    order = place_order(order=make_draft(sandbox=True, plan_fields={"auto_approve": True}))
    Server.objects.filter(order=order).delete()
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    return Server.objects.create(order=order, provider=provider, failed_version=1, last_error="quota exceeded")


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def post(client: Client, url: str, action: str, *rows: Any) -> str:
    return messages_of(
        client.post(url, {"action": action, "_selected_action": [str(row.pk) for row in rows]}, follow=True)
    )


def test_try_again_retries_each_order_once_and_counts(operator: Client, sandbox: Provider) -> None:
    rows = [failed(sandbox), failed(sandbox)]
    assert "Retrying 2 orders." in post(operator, "/admin/infrastructure/server/", "try_again", *rows)
    assert not Order.objects.filter(needs_attention=True).exists()
    assert LogEntry.objects.count() == 2
    assert "2 refused" in post(operator, "/admin/infrastructure/server/", "try_again", *rows)


def test_try_again_is_refused_without_its_permission(client: Client, sandbox: Provider) -> None:
    row = failed(sandbox)
    client.force_login(staff("view_server"))
    post(client, "/admin/infrastructure/server/", "try_again", row)
    assert Order.objects.filter(needs_attention=True).exists()


def test_the_list_shows_only_what_needs_attention(operator: Client, sandbox: Provider) -> None:
    row = failed(sandbox)
    well = Server.objects.create(order=make_draft(sandbox=True), provider=sandbox, done_version=1)
    content = operator.get("/admin/infrastructure/server/?status=failed").content.decode()
    assert (row.order.reference in content, well.order.reference in content) == (True, False)
    assert "quota exceeded" in content


@pytest.mark.parametrize("name", ["server", "deployment", "endpoint", "service"])
def test_rows_of_machines_are_neither_added_changed_nor_deleted(client: Client, sandbox: Provider, name: str) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    server = failed(sandbox)
    deployment = Deployment.objects.create(order=server.order, server=server, release=server.order.release)
    url = "https://maps.example"
    endpoint = Endpoint.objects.create(
        order=server.order, deployment=deployment, name="wms", application="WMS", url=url, check_url=url
    )
    pk = {"server": server.pk, "deployment": deployment.pk, "endpoint": endpoint.pk}.get(name, 1)
    assert client.get(f"/admin/infrastructure/{name}/add/").status_code == 403
    if name != "service":
        assert client.post(f"/admin/infrastructure/{name}/{pk}/change/", {}).status_code == 403
        assert client.post(f"/admin/infrastructure/{name}/{pk}/delete/", {"post": "yes"}).status_code == 403


def test_provider_is_added_and_keeps_its_slug_and_kind(operator: Client) -> None:
    given = {"name": "Here", "slug": "here", "kind": "local", "address": "127.0.0.1", "is_enabled": "on", "rank": "5"}
    operator.post(f"{PROVIDERS}add/", given)
    provider = Provider.objects.get()
    operator.post(f"{PROVIDERS}{provider.pk}/change/", {**given, "slug": "there", "kind": "sandbox", "rank": "7"})
    provider.refresh_from_db()
    assert (provider.slug, provider.kind, provider.rank) == ("here", "local", 7)


def test_provider_is_disabled_for_new_orders_and_the_history_says_so(operator: Client, sandbox: Provider) -> None:
    assert "1 provider changed." in post(operator, PROVIDERS, "disable", sandbox)
    sandbox.refresh_from_db()
    assert not sandbox.is_enabled
    assert LogEntry.objects.get().change_message == "Disabled for new orders."
    assert "0 providers changed." in post(operator, PROVIDERS, "disable", sandbox)


def test_provider_that_has_servers_is_not_deleted(client: Client, sandbox: Provider) -> None:
    failed(sandbox)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.post(f"{PROVIDERS}{sandbox.pk}/delete/", {"post": "yes"}).status_code == 403


def test_switches_of_a_sandbox_are_set_under_a_banner(operator: Client, sandbox: Provider) -> None:
    url = f"/admin/sandbox/sandboxswitches/{sandbox.switches.pk}/change/"
    assert b"No real servers are created here" in operator.get(url).content
    assert b"No real servers are created here" in operator.get(f"{PROVIDERS}{sandbox.pk}/change/").content
    given = {"build_seconds": "1", "launch_seconds": "1", "quota": "0", "lost_replies": "2", "failing_launches": "0"}
    operator.post(url, {**given, "failing_actions": "0", "is_down": "on"})
    switches = SandboxSwitches.objects.get()
    assert (switches.quota, switches.lost_replies, switches.is_down) == (0, 2, True)


def test_connection_is_tested_by_a_worker_and_not_in_the_request(
    operator: Client, sandbox: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("infrastructure.admin.provider.enqueue", lambda *args, **options: asked.append(args))
    assert "Testing 1 provider" in post(operator, PROVIDERS, "test_connections", sandbox)
    assert asked == [("infrastructure.providers.connection.test_connection", sandbox.pk)]


@pytest.mark.parametrize("action", ["test_connections", "enable", "disable"])
def test_provider_actions_are_refused_without_permission(client: Client, sandbox: Provider, action: str) -> None:
    client.force_login(staff("view_provider"))
    before = Provider.objects.values().get()
    post(client, PROVIDERS, action, sandbox)
    assert Provider.objects.values().get() == before


def test_test_of_a_connection_writes_who_answered(sandbox: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.providers.connection.get_cloud", lambda provider: FakeCloud())
    monkeypatch.setattr("infrastructure.providers.connection.get_own_runtime", lambda provider: FakeRuntime())
    ask_provider(sandbox.pk)
    sandbox.refresh_from_db()
    assert sandbox.connection_state == "a fake cloud with 0 servers; a fake runtime with 0 compositions"
    assert sandbox.connection_tested_at is not None


def test_test_of_a_connection_writes_why_nobody_answered(sandbox: Provider) -> None:
    SandboxSwitches.objects.update(is_down=True)
    ask_provider(sandbox.pk)
    sandbox.refresh_from_db()
    assert sandbox.connection_state.startswith("Failed: ")


def test_a_new_cloud_takes_no_orders_until_its_connection_test_has_passed(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"name": "Cloud", "slug": "cloud", "kind": "libcloud", "driver": "ec2", "address": "127.0.0.1"}
    operator.post(f"{PROVIDERS}add/", {**given, "is_enabled": "on", "rank": "5"})
    provider = Provider.objects.get()
    assert not provider.is_enabled
    ask_provider(provider.pk)
    provider.refresh_from_db()
    assert provider.connection_state.startswith("Failed: ")
    assert not provider.is_enabled
    monkeypatch.setattr("infrastructure.providers.connection.get_cloud", lambda provider: FakeCloud())
    ask_provider(provider.pk)
    provider.refresh_from_db()
    assert provider.is_enabled


def test_a_provider_that_staff_disabled_is_not_enabled_by_a_test(
    operator: Client, sandbox: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(operator, PROVIDERS, "disable", sandbox)
    ask_provider(sandbox.pk)
    sandbox.refresh_from_db()
    assert not sandbox.is_enabled


def test_test_of_a_provider_that_is_gone_does_nothing() -> None:
    assert ask_provider(0) == ""
