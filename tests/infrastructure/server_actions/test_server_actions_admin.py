"""Server actions in the admin: confirmation, prices, history, one counted message, and permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from customers.models import User
from infrastructure.contracts.cloud import Power
from infrastructure.models import Provider, ProviderOption, Server, ServerAction
from orders.models import Order
from tests.factories import UserFactory, make_draft

pytestmark = pytest.mark.django_db

LIST = reverse("admin:infrastructure_server_changelist")
ACTIONS = reverse("admin:infrastructure_serveraction_changelist")
ACTION_OF = {"retry": "try_this_again", "dismiss": "dismiss_this"}


@pytest.fixture
def provider() -> Provider:
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    for name, cpus, ram, price in (("sandbox-1", 1, 2, 4), ("sandbox-2", 2, 4, 8), ("sandbox-4", 4, 16, 24)):
        values = {"cpus": cpus, "ram_gb": ram, "disk_gb": 80, "price": price, "currency": "EUR"}
        ProviderOption.objects.create(provider=provider, kind="size", outside_id=name, name=name, **values)
    return provider


def make_server(provider: Provider, n: int = 1) -> Server:
    order = make_draft(name=f"maps {n}", sandbox=True)
    Order.objects.filter(pk=order.pk).update(approved_at=clock.now())
    return Server.objects.create(
        order=order, provider=provider, outside_id=f"sbx-{n}", size="sandbox-2", cpus=2, ram_gb=4, disk_gb=40
    )


@pytest.fixture
def server(provider: Provider) -> Server:
    return make_server(provider)


@pytest.fixture
def staff() -> Callable[[str], Client]:
    """Somebody of that role, signed in."""
    call_command("write_roles", verbosity=0)

    def sign_in(role: str) -> Client:
        user: User = UserFactory(is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def operator(staff: Callable[[str], Client]) -> Client:
    return staff("Operator")


def page_of(verb: str, server: Server) -> str:
    return reverse(f"admin:infrastructure_server_{verb}", args=(server.pk,))


def shown(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_stop_shows_its_consequences_and_requires_a_reason(operator: Client, server: Server) -> None:
    page = shown(operator.get(page_of("stop", server)))
    assert "ARE DOWN until" in page
    assert "monitoring reports an outage" in page
    refused = operator.post(page_of("stop", server), {"why": ""})
    assert "This field is required" in shown(refused)
    assert not ServerAction.objects.exists()
    asked = operator.post(page_of("stop", server), {"why": "It is quiet."}, follow=True)
    assert "Stop of sbx-1 requested." in shown(asked)
    server_action = ServerAction.objects.get()
    assert (server_action.verb, server_action.reason) == ("stop", "It is quiet.")
    assert LogEntry.objects.get().change_message == "Stop the server. It is quiet."
    assert LogEntry.objects.get().user == server_action.requested_by


def test_a_resize_shows_the_sizes_that_fit_and_what_they_cost_more(operator: Client, server: Server) -> None:
    page = shown(operator.get(page_of("resize", server)))
    assert "sandbox-4: 4 CPUs, 16 GB memory, 80 GB disk; €24.00 a month (+€16.00)" in page
    assert 'value="sandbox-1"' not in page
    operator.post(page_of("resize", server), {"size": "sandbox-4", "why": "More maps."})
    assert ServerAction.objects.get().size_id == "sandbox-4"
    assert "sandbox-4 More maps." in LogEntry.objects.get().change_message


def test_a_resize_without_any_choice_says_how_to_update_the_sizes(operator: Client, server: Server) -> None:
    ProviderOption.objects.all().delete()
    assert "Update catalogue" in shown(operator.get(page_of("resize", server)))


def test_a_refusal_is_shown_in_the_form(operator: Client, server: Server) -> None:
    ServerAction.objects.create(server=server, verb="stop", next_attempt_at=clock.now())
    answer = operator.post(page_of("start", server), {"why": ""})
    assert answer.status_code == 200
    assert "Another action on this server is in progress." in shown(answer)
    assert ServerAction.objects.count() == 1


def test_only_what_is_possible_is_offered(operator: Client, server: Server) -> None:
    here = reverse("admin:infrastructure_server_change", args=(server.pk,))
    assert all(page_of(verb, server) in shown(operator.get(here)) for verb in Power)
    Provider.objects.update(kind=Provider.Kind.EXISTING)
    assert not any(page_of(verb, server) in shown(operator.get(here)) for verb in Power)
    answer = operator.post(page_of("stop", server), {"why": "Quiet."})
    assert "are existing machines: stop them outside" in shown(answer)


@pytest.mark.parametrize(("state", "offered"), [("running", {"stop", "reboot"}), ("stopped", {"start"})])
def test_an_action_without_effect_is_not_offered(
    operator: Client, server: Server, state: str, offered: set[str]
) -> None:
    Server.objects.update(node_state=state)
    page = shown(operator.get(reverse("admin:infrastructure_server_change", args=(server.pk,))))
    assert {verb.value for verb in Power if page_of(verb, server) in page} == {*offered, "resize"}


def test_the_page_of_a_server_lists_its_actions(operator: Client, server: Server) -> None:
    who = UserFactory(is_staff=True)
    ServerAction.objects.create(
        server=server, verb="resize", former_size="sandbox-1", size_id="sandbox-2", requested_by=who, outcome="It runs."
    )
    page = shown(operator.get(reverse("admin:infrastructure_server_change", args=(server.pk,))))
    assert "Resize: sandbox-1 → sandbox-2" in page
    assert "It runs." in page
    assert "settled&#x27;" not in page
    row = shown(
        operator.get(reverse("admin:infrastructure_serveraction_change", args=(ServerAction.objects.get().pk,)))
    )
    assert "It runs." in row
    assert "&#x27;," not in row


@pytest.mark.parametrize("role", ["Support", "Billing"])
def test_staff_without_the_permission_are_refused(staff: Callable[[str], Client], server: Server, role: str) -> None:
    client = staff(role)
    for verb in Power:
        assert client.get(page_of(verb, server)).status_code == 403
        assert client.post(page_of(verb, server), {"why": "Quiet.", "size": "sandbox-4"}).status_code == 403
    client.post(LIST, {"action": "stop_many", "_selected_action": [server.pk], "confirmed": "yes", "why": "Quiet."})
    assert not ServerAction.objects.exists()


def test_many_servers_are_rebooted_at_once_and_counted(operator: Client, provider: Provider) -> None:
    servers = [make_server(provider, n) for n in range(3)]
    Server.objects.filter(pk=servers[0].pk).update(outside_id="")
    chosen = {"action": "reboot_many", "_selected_action": [server.pk for server in servers]}
    assert "requested once" in shown(operator.post(LIST, chosen))
    assert not ServerAction.objects.exists()
    answer = operator.post(LIST, {**chosen, "confirmed": "yes", "why": "A new kernel."}, follow=True)
    assert "2 changed." in shown(answer)
    assert "The server has not been created yet." in shown(answer)
    assert set(ServerAction.objects.values_list("reason", flat=True)) == {"A new kernel."}


def failed_action(server: Server, **fields: Any) -> ServerAction:
    return ServerAction.objects.create(server=server, verb="stop", failed_version=1, last_error="no capacity", **fields)


def test_a_failed_action_needs_attention_and_is_tried_again_or_dismissed(operator: Client, provider: Provider) -> None:
    first, second, calm = (make_server(provider, n) for n in range(3))
    again, dismissed = failed_action(first), failed_action(second)
    needing = shown(operator.get(LIST, {"status": "failed"}))
    assert first.order.reference in needing
    assert calm.order.reference not in needing
    assert "no capacity" in shown(operator.get(ACTIONS, {"status": "failed"}))
    assert "no capacity" in shown(operator.get(reverse("admin:index")))
    for action, row in (("try_again", again), ("dismiss", dismissed)):
        asked = {"action": action, "_selected_action": [row.pk], "confirmed": "yes", "why": "Seen to."}
        assert "1 changed." in shown(operator.post(ACTIONS, asked, follow=True))
        row.refresh_from_db()
    assert again.next_attempt_at is not None
    assert (dismissed.has_failed, dismissed.outcome) == (False, "no capacity Dismissed. Seen to.")
    assert "no capacity" not in shown(operator.get(reverse("admin:index")))


def test_the_page_of_a_failed_action_offers_to_try_it_again_or_dismiss_it(operator: Client, provider: Provider) -> None:
    for n, url_path in enumerate(ACTION_OF):
        row = failed_action(make_server(provider, n))
        page = reverse("admin:infrastructure_serveraction_change", args=(row.pk,))
        assert f"{row.pk}/{url_path}" in shown(operator.get(page))
        asking = reverse(f"admin:infrastructure_serveraction_{ACTION_OF[url_path]}", args=(row.pk,))
        assert "no capacity" in shown(operator.get(asking)), "a confirmation page first"
        row.refresh_from_db()
        assert row.has_failed
        assert "1 changed." in shown(operator.post(asking, {"confirmed": "yes", "why": "Seen to."}, follow=True))
        row.refresh_from_db()
        assert not row.has_failed
        assert f"{row.pk}/{url_path}" not in shown(operator.get(page)), "no buttons once it is settled"


def test_the_page_of_a_server_takes_the_same_queries_for_few_actions_and_many(operator: Client, server: Server) -> None:
    here = reverse("admin:infrastructure_server_change", args=(server.pk,))
    counts = []
    for _ in range(2):
        for _ in range(5):
            ServerAction.objects.create(server=server, verb="stop", requested_by=UserFactory(), outcome="Stopped.")
        operator.get(here)
        with CaptureQueriesContext(connection) as queries:
            operator.get(here)
        counts.append(len(queries))
    assert counts[0] == counts[1]
