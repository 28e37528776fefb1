"""Services of WHMCS as orders: repeated calls make one order, states are pushed back, signed hooks are followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from billing.models import Subscription
from core import clock
from core.engine.controller import work
from core.signatures import sign
from customers.models import Customer, Membership, User, WhmcsClientRow, WhmcsSync
from customers.whmcs.client import WhmcsClient
from customers.whmcs.simulator.records import example_client, example_records
from customers.whmcs.simulator.server import IDENTIFIER, SECRET, Simulator, running
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from orders.choices import State
from orders.models import Order, OrderChange, OrderEvent, WhmcsService
from orders.whmcs.services import find_service
from products.models import Plan, ReleaseBundle
from tests.driving import Drive
from tests.factories import PlanFactory, ReleaseFactory, UserFactory

pytestmark = pytest.mark.django_db
SERVICES = "/api/v1/whmcs/services/"
HOOK_SECRET = "a-secret-of-the-hooks-0123456789abcdef"


@pytest.fixture
def simulator(socket_enabled: None, settings: Settings) -> Iterator[Simulator]:
    """A WHMCS with two clients and a service of the first, which is the WHMCS of the settings."""
    with running(Simulator(records=example_records(2))) as started:
        settings.WHMCS_URL, settings.WHMCS_IDENTIFIER, settings.WHMCS_SECRET = started.url, IDENTIFIER, SECRET
        started.records.add_service(1, notes="Call first")
        yield started


@pytest.fixture
def plan() -> Plan:
    """A plan on sale, and a sandbox to run it."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.get_or_create(provider=provider)
    made: Plan = PlanFactory()
    ReleaseBundle.objects.create(release=ReleaseFactory(product=made.product), archive=b"")
    return made


@pytest.fixture
def module() -> APIClient:
    """The WHMCS module's account."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="serve_whmcs"))
    client = APIClient()
    client.force_authenticate(user)
    return client


def create(module: APIClient, plan: Plan, service_id: int = 1, **changes: Any) -> Any:
    body = {
        "service_id": service_id,
        "client": {**example_client(1), "userid": 1},
        "product": plan.product.slug,
        "plan": plan.slug,
        "sandbox": True,
        **changes,
    }
    return module.post(SERVICES, body, format="json", headers={"Idempotency-Key": str(service_id)})


def ask(module: APIClient, noun: str, body: dict[str, Any] | None = None) -> Any:
    return module.post(f"{SERVICES}1/{noun}/", body or {}, format="json", headers={"Idempotency-Key": "1"})


def test_ten_calls_make_one_order(module: APIClient, plan: Plan) -> None:
    answers = [create(module, plan) for _repeat in range(10)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["order"] for answer in answers}) == 1
    order = Order.objects.get()
    assert order.approved_at is not None
    assert order.customer.external_ids.get().value == "1"


def test_service_goes_through_its_life_and_whmcs_is_shown_it(
    module: APIClient, plan: Plan, simulator: Simulator, drive: Drive
) -> None:
    create(module, plan)
    drive.settle()
    service = simulator.records.services[1]
    assert service["status"] == "Active"
    assert service["domain"]
    assert service["notes"].startswith("Call first\n[Geocat Live] GL")
    assert not Subscription.objects.exists(), "WHMCS bills it"
    for noun, status in (("suspension", "Suspended"), ("resumption", "Active"), ("suspension", "Suspended")):
        for _repeat in range(2):
            assert ask(module, noun).status_code == 202
        drive.settle()
        assert service["status"] == status
    for _repeat in range(2):
        assert ask(module, "removal").status_code == 202
    drive.settle()
    assert service["status"] == "Terminated"
    assert service["notes"].count("[Geocat Live]") == 1
    assert Order.objects.get().state == State.REMOVED
    shown = module.get(f"{SERVICES}1/").json()
    assert (shown["domain"], shown["ip"]) == ("", ""), "its address may be another's by now"


def test_push_waits_for_whmcs_to_come_back(module: APIClient, plan: Plan, simulator: Simulator, drive: Drive) -> None:
    simulator.oddities.maintenance_page = True
    create(module, plan)
    drive.settle(seconds=120)
    assert "maintenance" in WhmcsService.objects.get().last_error
    simulator.oddities.maintenance_page = False
    drive.settle(seconds=1200)
    assert simulator.records.services[1]["status"] == "Active"


def test_push_writes_the_state_at_its_end_however_slow_whmcs_is(
    module: APIClient, plan: Plan, simulator: Simulator, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(module, plan)
    drive.settle()
    services = WhmcsClient.services

    def change_meanwhile(client: WhmcsClient, **filters: Any) -> Any:
        Order.objects.update(state=State.SUSPENDED)
        return services(client, **filters)

    WhmcsService.objects.update(next_attempt_at=drive.now)
    monkeypatch.setattr(WhmcsClient, "services", change_meanwhile)
    work("whmcs service", [WhmcsService.objects.get().pk])
    assert simulator.records.services[1]["status"] == "Suspended"
    assert WhmcsService.objects.get().sent_state == State.SUSPENDED


def test_push_that_came_too_late_is_followed_by_another(
    module: APIClient, plan: Plan, simulator: Simulator, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(module, plan)
    drive.settle()
    update = WhmcsClient.update_service

    def overtaken(client: WhmcsClient, service_id: int, **fields: Any) -> None:
        Order.objects.update(state=State.SUSPENDED)
        monkeypatch.setattr(WhmcsClient, "update_service", update)
        WhmcsService.objects.update(leased_until=None)
        work("whmcs service", [WhmcsService.objects.get().pk])
        simulator.records.services[1]["status"] = "Active"  # the first one arrives now

    WhmcsService.objects.update(next_attempt_at=drive.now)
    monkeypatch.setattr(WhmcsClient, "update_service", overtaken)
    work("whmcs service", [WhmcsService.objects.get().pk])
    assert simulator.records.services[1]["status"] == "Active"
    work("whmcs service", [WhmcsService.objects.get().pk])
    assert simulator.records.services[1]["status"] == "Suspended"
    assert WhmcsService.objects.get().is_settled


def test_push_to_a_service_that_is_gone_is_left_to_staff(
    module: APIClient, plan: Plan, simulator: Simulator, drive: Drive
) -> None:
    create(module, plan, service_id=77)
    drive.settle()
    assert WhmcsService.objects.get().has_failed


def test_plan_is_changed_once_the_order_runs(module: APIClient, plan: Plan, simulator: Simulator, drive: Drive) -> None:
    create(module, plan)
    assert ask(module, "upgrade", {"product": plan.product.slug, "plan": plan.slug}).status_code == 202
    other: Plan = PlanFactory(product=plan.product, slug="other")
    assert ask(module, "upgrade", {"product": plan.product.slug, "plan": other.slug}).status_code == 409
    drive.settle()
    for _repeat in range(2):
        assert ask(module, "upgrade", {"product": plan.product.slug, "plan": other.slug}).status_code == 202
    drive.settle()
    order = Order.objects.get()
    assert (order.plan, order.state) == (other, State.ACTIVE)
    assert OrderChange.objects.get().to_plan == other
    assert simulator.records.services[1]["status"] == "Active"
    assert ask(module, "upgrade", {"product": plan.product.slug, "plan": "none"}).status_code == 422


def test_key_of_another_service_is_refused(module: APIClient, plan: Plan) -> None:
    create(module, plan)
    answer = module.post(f"{SERVICES}1/suspension/", {}, format="json", headers={"Idempotency-Key": "2"})
    assert answer.status_code == 422
    assert Order.objects.get().wanted == "running"


def test_only_accounts_with_the_permission_are_served(module: APIClient, plan: Plan) -> None:
    create(module, plan)
    customer = Order.objects.get().customer
    owner = UserFactory()
    Membership.objects.create(user=owner, customer=customer)
    for user in (owner, UserFactory(is_staff=True)):
        stranger = APIClient()
        stranger.force_authenticate(user)
        assert stranger.get(SERVICES).status_code == 403
        assert create(stranger, plan, service_id=5).status_code == 403
        assert ask(stranger, "removal").status_code == 404
    assert APIClient().get(SERVICES).status_code in (401, 403)
    assert find_service(5) is None


def test_sign_on_link_works_once(module: APIClient, plan: Plan, client: Client) -> None:
    create(module, plan)
    customer = Order.objects.get().customer
    url = ask(module, "sign-on", {"email": "boss@whmcs.example"}).json()["url"]
    assert client.get(url).headers["Location"] == f"/orders/{Order.objects.get().reference}/"
    assert client.get(client.get(url).headers["Location"]).status_code == 200 or "_auth_user_id" in client.session
    assert User.objects.get(email="boss@whmcs.example").memberships.get().customer == customer
    second = Client()
    assert "login" in second.get(url).headers["Location"]
    assert "_auth_user_id" not in second.session


def test_sign_on_link_expires(module: APIClient, plan: Plan, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    create(module, plan)
    url = ask(module, "sign-on", {"email": "boss@whmcs.example"}).json()["url"]
    then = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: then)
    client.get(url)
    assert "_auth_user_id" not in client.session


def test_sign_on_reaches_nobody_but_the_customers_own(module: APIClient, plan: Plan) -> None:
    create(module, plan)
    staff, elsewhere, both = UserFactory(is_staff=True), UserFactory(), UserFactory()
    other = Customer.objects.create(number="C99999", name="Other", email="other@example.org")
    Membership.objects.create(user=elsewhere, customer=other)
    for customer in (other, Order.objects.get().customer):
        Membership.objects.create(user=both, customer=customer)
    for user in (staff, elsewhere, both):
        assert ask(module, "sign-on", {"email": user.email}).status_code == 409
    assert elsewhere.memberships.count() == 1


def send(client: Client, content: object, *, secret: str = HOOK_SECRET, age: int = 0) -> int:
    body = json.dumps(content).encode()
    header = sign(secret, body, at=clock.now() - timedelta(seconds=age))
    answer = client.post("/hooks/whmcs/", body, content_type="application/json", headers={"X-Live-Signature": header})
    return answer.status_code


def test_hook_that_is_not_signed_now_with_the_secret_is_refused(client: Client, settings: Settings) -> None:
    edit = {"hook": "ClientEdit", "client_id": 1}
    assert send(client, edit) == 404
    settings.WHMCS_WEBHOOK_SECRET = HOOK_SECRET
    assert send(client, edit, secret="another-secret-0123456789abcdef0123") == 401
    assert send(client, edit, age=301) == 401
    assert client.post("/hooks/whmcs/", edit, content_type="application/json").status_code == 401
    refused: tuple[object, ...] = (
        {"hook": "Other"},
        {"hook": "ClientEdit"},
        {"hook": "ClientEdit", "client_id": "1"},
        [],
        {},
    )
    for content in refused:
        assert send(client, content) == 422


def test_hooks_are_followed(
    client: Client, settings: Settings, module: APIClient, plan: Plan, simulator: Simulator, drive: Drive
) -> None:
    settings.WHMCS_WEBHOOK_SECRET = HOOK_SECRET
    create(module, plan)
    simulator.records.clients[1]["city"] = "Ede"
    for _repeat in range(2):
        assert send(client, {"hook": "ClientEdit", "client_id": 1}) == 202
    assert WhmcsSync.objects.count() == 1
    drive.settle()
    assert Order.objects.get().customer.addresses.get().city == "Ede"
    assert send(client, {"hook": "InvoicePaid", "invoice_id": 9, "service_ids": [1, 2]}) == 202
    cancel = {"hook": "CancellationRequest", "service_id": 1, "type": "Immediate", "reason": "Moved"}
    assert send(client, cancel) == 202
    notes = list(OrderEvent.objects.filter(is_public=False).values_list("message", flat=True))
    assert "Invoice 9 was paid in WHMCS." in notes
    assert any("Moved" in note for note in notes)
    assert send(client, {"hook": "AfterClientMerge", "from_id": 2, "to_id": 1}) == 202
    assert WhmcsClientRow.objects.get(client_id=2).merged_into == 1
    assert send(client, {"hook": "ClientClose", "client_id": 1}) == 202
    assert Order.objects.get().customer.state == "closed"
