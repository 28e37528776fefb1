"""Every list of the admin, today's and tomorrow's, opens in a number of queries that its length does not change."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import (
    BankStatement,
    BankTransaction,
    BillingProfile,
    BillingRun,
    DirectDebit,
    ExchangeRate,
    Invoice,
    LocationEvidence,
    Mandate,
    Payment,
    Reminder,
    ReminderStep,
    VatRate,
    WhmcsInvoice,
)
from billing.subscriptions.reconcile import reconcile_orders
from core import clock
from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import (
    ApiToken,
    MailAddress,
    Message,
    SupportView,
    VatCheck,
    Webhook,
    WhmcsChange,
    WhmcsClientRow,
    WhmcsConflict,
    WhmcsSync,
)
from customers.webhooks.services import create_webhook, send_test
from infrastructure.models import (
    Deployment,
    DriftFinding,
    DriftScan,
    Endpoint,
    Host,
    Provider,
    Server,
    ServerAction,
    ServerKeys,
    Service,
)
from infrastructure.sandbox.models import SandboxComposition, SandboxNode, SandboxSwitches
from live.models import StaffAlert, WebhookDelivery
from monitoring.models import (
    BackendStatus,
    DailyAvailability,
    Incident,
    Maintenance,
    Monitor,
    MonitorCheck,
    MonthlyReport,
    Outage,
    Problem,
)
from monitoring.status_pages.services import renew_link
from orders.choices import Part, PartState
from orders.models import FleetUpgrade, Order, WhmcsService
from orders.services import Report, place_order, report_many
from products.models import CatalogueSync, ConfigRepo
from tests.factories import CustomerFactory, PlanFactory, ProductFactory, ReleaseFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 60


def provider(n: int) -> Provider:
    return Provider.objects.create(slug=f"sandbox-{n}", name=f"Sandbox {n}", kind=Provider.Kind.SANDBOX)


def order(n: int) -> Order:
    return make_draft(name=f"maps {n}")


def fleet_upgrade(n: int) -> FleetUpgrade:
    return FleetUpgrade.objects.create(release=order(n).release, requested_by=UserFactory())


def server(n: int) -> Server:
    return Server.objects.create(order=order(n), provider=provider(n))


def deployment(n: int) -> Deployment:
    at = server(n)
    return Deployment.objects.create(order=at.order, server=at, release=at.order.release)


def service(n: int) -> Service:
    return Service.objects.create(deployment=deployment(n), name="gateway", state="running", seen_at=clock.now())


def incident(n: int) -> Incident:
    row = Incident.objects.create(title="Down", started_at=clock.now())
    row.orders.add(order(n))
    return row


def endpoint(n: int) -> Endpoint:
    on = deployment(n)
    url = f"https://maps.example/{n}"
    return Endpoint.objects.create(order=on.order, deployment=on, name="wms", application="WMS", url=url, check_url=url)


def host(n: int) -> Host:
    pool, _ = Provider.objects.get_or_create(slug="pool", kind=Provider.Kind.EXISTING)
    address = f"198.51.100.{n}"
    return Host.objects.create(provider=pool, name=address, address=address, host_key="k", cpus=4, ram_gb=8, disk_gb=9)


def server_keys(n: int) -> ServerKeys:
    its = {"public_key": "p", "private_key": "q", "host_key": "ssh-ed25519 AAAA", "host_private_key": "r"}
    return ServerKeys.objects.create(server=server(n), **its)


def monitor(n: int) -> Monitor:
    at = endpoint(n)
    row = Monitor.objects.create(order=at.order)
    MonitorCheck.objects.create(monitor=row, endpoint=at)
    return row


def maintenance(n: int) -> Maintenance:
    now = clock.now()
    row = Maintenance.objects.create(title=f"Work {n}", starts_at=now, ends_at=now, planned_by=UserFactory())
    row.orders.add(order(n))
    return row


def monthly_report(n: int) -> MonthlyReport:
    counts = dict.fromkeys(("up", "down", "maintenance", "unknown", "outages", "seconds_mean", "seconds_max"), 1)
    return MonthlyReport.objects.create(
        order=order(n), month=date(2026, 6, 1), credit_percent=10, currency="EUR", **counts
    )


def mail_address(n: int) -> MailAddress:
    return MailAddress.objects.create(address=f"gone{n}@example.org", last_bounced_at=clock.now())


def message(n: int) -> Message:
    return Message.objects.create(key=f"news:{n}", customer=CustomerFactory(), to=["a@example.org"], subject=f"{n}")


def token(n: int) -> Any:
    return ApiToken.objects.create(user=UserFactory(), name=f"program {n}")[0]


def webhook(n: int) -> Webhook:
    return create_webhook(name=f"register {n}", url="https://register.example/hook", customer=CustomerFactory())


def alert(n: int) -> StaffAlert:
    return StaffAlert.objects.create(key=f"order:{n}", kind="order_attention", title=f"{n}", raised_at=clock.now())


def finding(n: int) -> DriftFinding:
    now = clock.now()
    where = provider(n)
    return DriftFinding.objects.create(
        kind="orphan", thing="server", provider=where, key=f"live-{n}", first_seen_at=now, last_seen_at=now
    )


def composition(n: int) -> SandboxComposition:
    return SandboxComposition.objects.create(
        provider=provider(n), key=f"live-{n}", digest="0" * 64, services={}, ready_at=clock.now()
    )


def node(n: int) -> SandboxNode:
    return SandboxNode.objects.create(provider=provider(n), name=f"live-{n}", size="sandbox-1", ready_at=clock.now())


def task(n: int, *, success: bool) -> Any:
    now = clock.now()
    return apps.get_model("django_q.Task").objects.create(
        id=uuid.uuid4().hex, name=f"task {n}", func="live.x", started=now, stopped=now, success=success
    )


def waiting(n: int) -> Any:
    return apps.get_model("django_q.OrmQ").objects.create(key="live", payload="not to be opened", lock=clock.now())


def schedule(n: int) -> Any:
    return apps.get_model("django_q.Schedule").objects.create(name=f"every {n}", func="live.x", next_run=clock.now())


def authenticator(n: int) -> Any:
    return apps.get_model("mfa.Authenticator").objects.create(user=UserFactory(), type="totp", data={})


def address(n: int) -> Any:
    return apps.get_model("account.EmailAddress").objects.create(user=UserFactory(), email=f"{n}@example.org")


def billed(n: int) -> Invoice:
    """The first invoice of an active order."""
    of = place_order(order=make_draft(name=f"maps {n}", plan_fields={"auto_approve": True}))
    report_many(
        [
            Report(order_pk=of.pk, part=part, state=PartState.READY, version=1)
            for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
        ]
    )
    reconcile_orders([of.pk])
    return Invoice.objects.select_related("subscription", "pdf").get(order=of)


def bank_transaction(n: int) -> BankTransaction:
    statement, _ = BankStatement.objects.get_or_create(identifier="S1", sha256="0" * 64, iban="NL91ABNA0417164300")
    return BankTransaction.objects.create(
        statement=statement, position=n, booked_on=date(2026, 6, 1), amount=Decimal(10), currency="EUR"
    )


def payment(n: int) -> Payment:
    return Payment.objects.create(
        customer=CustomerFactory(), amount=Decimal(10), currency="EUR", received_on=date(2026, 6, 1)
    )


def mandate(n: int) -> Mandate:
    return Mandate.objects.create(
        customer=CustomerFactory(),
        reference=f"M{n}",
        signed_on=date(2026, 6, 1),
        account_holder="Ann",
        iban="NL91ABNA0417164300",
    )


def reminder_step(n: int) -> ReminderStep:
    return ReminderStep.objects.create(days=n + 100, subject="Reminder", text="Please pay {number}.")


MAKERS: dict[str, Callable[[int], object]] = {
    "orders.FleetUpgrade": fleet_upgrade,
    "account.EmailAddress": address,
    "auth.Group": lambda n: Group.objects.create(name=f"Role {n}"),
    "billing.BankTransaction": bank_transaction,
    "billing.BillingProfile": lambda n: BillingProfile.objects.create(customer=CustomerFactory()),
    "billing.BillingRun": lambda n: BillingRun.objects.create(day=date(2026, 6, 1)),
    "billing.DirectDebit": lambda n: DirectDebit.objects.create(
        invoice=billed(n), mandate=mandate(n), amount=1, collect_on=date(2026, 6, 1), requested_at=clock.now()
    ),
    "billing.ExchangeRate": lambda n: ExchangeRate.objects.create(
        currency="USD", published_on=date(2026, 6, 1) + timedelta(days=n), per_euro=Decimal("1.1")
    ),
    "billing.Invoice": billed,
    "billing.InvoicePdf": lambda n: billed(n).pdf,
    "billing.LocationEvidence": lambda n: LocationEvidence.objects.create(
        customer=CustomerFactory(), kind=LocationEvidence.Kind.values[0], country="NL"
    ),
    "billing.Mandate": mandate,
    "billing.Payment": payment,
    "billing.Reminder": lambda n: Reminder.objects.create(
        invoice=billed(n), step=reminder_step(n), sent_at=clock.now()
    ),
    "billing.ReminderStep": reminder_step,
    "billing.Subscription": lambda n: billed(n).subscription,
    "billing.VatRate": lambda n: VatRate.objects.create(
        country="NL", valid_from=date(2031, 1, 1) + timedelta(days=n), rate=Decimal(21)
    ),
    "billing.WhmcsInvoice": lambda n: WhmcsInvoice.objects.create(
        customer=CustomerFactory(), reference=f"live-{n}", currency="EUR", lines=[], net=1, due_on=date(2026, 6, 1)
    ),
    "customers.ApiToken": token,
    "customers.Customer": lambda n: CustomerFactory(),
    "customers.EventDelivery": lambda n: send_test(webhook=webhook(n)),
    "customers.Invitation": lambda n: invite_member(
        customer=CustomerFactory(), email=f"invited{n}@example.org", role=Role.BILLING, actor=UserFactory()
    ),
    "customers.MailAddress": mail_address,
    "customers.Message": message,
    "customers.SupportView": lambda n: SupportView.objects.create(
        staff=UserFactory(is_staff=True),
        member=UserFactory(),
        customer=CustomerFactory(),
        why="Ticket 4711",
        started_at=clock.now(),
        expires_at=clock.now(),
    ),
    "customers.User": lambda n: UserFactory(),
    "customers.Webhook": webhook,
    "customers.VatCheck": lambda n: VatCheck.objects.create(customer=CustomerFactory(), vat_id="BE0428759497"),
    "usersessions.UserSession": lambda n: UserSession.objects.create(
        user=UserFactory(), ip="192.0.2.1", session_key=f"session{n}", user_agent="curl"
    ),
    "customers.WhmcsChange": lambda n: WhmcsChange.objects.create(
        customer=CustomerFactory(), client_id=n, at=clock.now(), changes={"city": ["Ede", "Bennekom"]}
    ),
    "customers.WhmcsClientRow": lambda n: WhmcsClientRow.objects.create(client_id=n + 1, customer=CustomerFactory()),
    "customers.WhmcsConflict": lambda n: WhmcsConflict.objects.create(
        client_id=n, customer=CustomerFactory(), kind="changed_here", field="city", here="Ede", there="Bennekom"
    ),
    "customers.WhmcsSync": lambda n: WhmcsSync.objects.create(requested_by=f"{n}"),
    "django_q.Failure": lambda n: task(n, success=False),
    "django_q.OrmQ": waiting,
    "django_q.Schedule": schedule,
    "django_q.Success": lambda n: task(n, success=True),
    "infrastructure.Deployment": deployment,
    "infrastructure.Endpoint": endpoint,
    "infrastructure.ServerAction": lambda n: ServerAction.objects.create(
        server=server(n), verb="stop", requested_by=UserFactory()
    ),
    "infrastructure.DriftFinding": finding,
    "infrastructure.Host": host,
    "infrastructure.Provider": provider,
    "infrastructure.DriftScan": lambda n: DriftScan.objects.create(provider=provider(n)),
    "infrastructure.Server": server,
    "infrastructure.ServerKeys": server_keys,
    "infrastructure.Service": service,
    "live.StaffAlert": alert,
    "live.WebhookDelivery": lambda n: WebhookDelivery.objects.create(
        alert=alert(n), event="alert.raised", occurred_at=clock.now()
    ),
    "mfa.Authenticator": authenticator,
    "monitoring.DailyAvailability": lambda n: DailyAvailability.objects.create(order=order(n), day=date(2026, 6, 1)),
    "monitoring.Incident": incident,
    "monitoring.Maintenance": maintenance,
    "monitoring.Monitor": monitor,
    "monitoring.MonthlyReport": monthly_report,
    "monitoring.Outage": lambda n: Outage.objects.create(order=order(n), application="WMS", started_at=clock.now()),
    "monitoring.Problem": lambda n: Problem.objects.create(
        monitor=monitor(n), event_id=f"{n}", name="Down", severity=4, since=clock.now()
    ),
    "monitoring.StatusPage": lambda n: renew_link(customer=CustomerFactory()),
    "monitoring.BackendStatus": lambda n: BackendStatus.objects.create(backend=f"w{n}"),
    "orders.Order": order,
    "orders.WhmcsService": lambda n: WhmcsService.objects.create(order=order(n), service_id=n + 1, client_id=1),
    "products.ConfigRepo": lambda n: ConfigRepo.objects.create(name=f"Repo {n}", kind="folder", address=f"/srv/{n}"),
    "products.CatalogueSync": lambda n: CatalogueSync.objects.create(requested_by=f"{n}"),
    "products.Plan": lambda n: PlanFactory(),
    "products.Product": lambda n: ProductFactory(),
    "products.Release": lambda n: ReleaseFactory(),
    "sandbox.SandboxComposition": composition,
    "sandbox.SandboxNode": node,
    "sandbox.SandboxSwitches": lambda n: SandboxSwitches.objects.create(provider=provider(n)),
}


MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
of_every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)


@pytest.fixture
def staff(client: Client) -> Client:
    """Someone who may everything."""
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@of_every_model
def test_list_takes_the_same_queries_for_few_and_for_many(staff: Client, model: type[Model]) -> None:
    make = MAKERS.get(model._meta.label)
    assert make is not None, f"{model._meta.label} has a list in the admin: say in MAKERS how a row of it is made"
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for n in range(FEW):
        make(n)
    staff.get(url)  # content types and the like are looked up once
    few = queries(staff, url)
    for n in range(FEW, MANY):
        make(n)
    assert model._default_manager.count() >= MANY
    assert queries(staff, url) == few
    assert few <= 15


def test_every_maker_has_a_list() -> None:
    assert set(MAKERS) <= {model._meta.label for model in admin.site._registry}


@of_every_model
def test_list_is_refused_to_staff_who_may_not_see_it(client: Client, model: type[Model]) -> None:
    client.force_login(UserFactory(is_staff=True))
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert client.get(url).status_code == 403


@of_every_model
def test_page_of_a_row_opens(staff: Client, model: type[Model]) -> None:
    row: Any = MAKERS[model._meta.label](1)
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=(row.pk,))
    page = staff.get(url)
    assert page.status_code == 200
    assert not re.search(r"\(&#x27;[^<]*&#x27;, &#x27;", page.content.decode()), "a label of a list, as Python has it"


def test_second_factor_never_shows_its_secret(staff: Client) -> None:
    row = authenticator(1)
    row.data = {"secret": "JBSWY3DPEHPK3PXP"}
    row.save()
    page = staff.get(reverse("admin:mfa_authenticator_change", args=(row.pk,)))
    assert b"JBSWY3DPEHPK3PXP" not in page.content


def test_queue_is_looked_at_and_not_touched(staff: Client) -> None:
    row = schedule(1)
    assert staff.get(reverse("admin:django_q_schedule_add")).status_code == 403
    assert staff.post(reverse("admin:django_q_schedule_delete", args=(row.pk,)), {"post": "yes"}).status_code == 403
