"""A secret is sown wherever one may be, and looked for wherever one must not come out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.conf import settings as project_settings
from django.contrib import admin
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from billing.documents.rendering import invoice_pdf
from billing.models import Invoice
from billing.reports.exports import EXPORTS
from core.engine.controller import controllers
from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import Message, Webhook
from infrastructure.models import Host, HostSecrets, Provider, ProviderSecrets, Server, ServerKeys
from infrastructure.sandbox.models import SandboxSwitches
from live.demo.company import write_history
from live.reseal import sealed_columns
from monitoring.models import MonthlyReport
from monitoring.reports.services import make_reports
from orders.models import Order, OrderChange, OrderSecrets
from orders.services import approve_order, place_order, remove_order
from products.models import ConfigRepo, ReleaseBundle
from tests.api.conftest import furnish
from tests.driving import Drive
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft
from tests.live.test_admin_strangers import ADDRESSES
from tests.live.test_every_address import CLOSED, filled_in, program

pytestmark = pytest.mark.django_db

CANARY = "canary-4711-that-nobody-may-read"
VAT_ID = "NL861234567B84"
SECRET_SETTINGS = (
    *("GITLAB_TOKEN", "GITLAB_WEBHOOK_SECRET", "WHMCS_SECRET", "WHMCS_ACCESS_KEY", "WHMCS_WEBHOOK_SECRET"),
    *("ZABBIX_TOKEN", "ZABBIX_PASSWORD", "ZABBIX_WEBHOOK_SECRET", "STAFF_WEBHOOK_SECRET", "EMAIL_HOST_PASSWORD"),
)
SHOW_NO_ROW = ("add/", "delete/", "history/", "change/", "jsi18n/")  # each row's page is walked by its own address
# Sealed columns of another nature: the check of the keys themselves, and a link that its owner shall read.
NOT_SOWN = {("SecretsCanary", "sealed"), ("StatusPage", "token")}


def sow(order: Order) -> None:
    """The canary is in every secret of an order, of the machines that it runs on, and of the systems around it."""
    OrderSecrets.objects.update_or_create(order=order, defaults={"values": {"admin_password": CANARY}})
    change = OrderChange(kind="secrets")
    change.keep_former(order)
    change.to_release, change.to_plan, change.former_secrets = order.release, order.plan, {"admin_password": CANARY}
    change.state = "applied"
    change.save()
    for provider in Provider.objects.all():
        ProviderSecrets.objects.update_or_create(provider=provider, defaults={"values": {"key": CANARY}})
        size = {"cpus": 4, "ram_gb": 8, "disk_gb": 100}
        host = Host.objects.create(provider=provider, name="sown", address="198.51.100.7", host_key="k", **size)
        HostSecrets.objects.create(host=host, private_key=CANARY)
    for server in Server.objects.all():
        ServerKeys.objects.update_or_create(
            server=server,
            defaults={"public_key": "ssh", "host_key": "ssh", "private_key": CANARY, "host_private_key": CANARY},
        )
    Webhook.objects.update(secret=CANARY, previous_secret=CANARY)
    ConfigRepo.objects.create(name="sown", credentials={"token": CANARY, "webhook_secret": CANARY})


@pytest.fixture
def order(settings: Any) -> Order:
    """An order with a row in every room, and the canary in all that is secret."""
    cache.clear()
    settings.SELLER = {**settings.SELLER, "name": "Kaartwerk", "street": "Kade 2", "city": "Ede", "vat_id": VAT_ID}
    order = furnish(make_draft(name="Maps", customer=CustomerFactory(name="Waterschap Vallei")))
    invite_member(customer=order.customer, email="ann@example.org", role=Role.BILLING)
    sow(order)
    for name in SECRET_SETTINGS:
        setattr(settings, name, CANARY)
    settings.METRICS_TOKEN = "a-token-of-the-tests"
    return order


def columns_that_show_it() -> Iterator[str]:
    """Every column of the database, as it is stored, in which the canary can be read."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
            yield from (f"{table}.{name}" for place, name in enumerate(names) if _shows(row[place] for row in rows))


def _shows(values: Iterable[object]) -> bool:
    stored = (bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in values)
    return any(CANARY.encode() in value for value in stored)


def own_pages_of_admin() -> Iterator[str]:
    """The page of a row of every model in the admin; the lists are among its addresses already."""
    for model in admin.site._registry:
        pk = model._default_manager.values_list("pk", flat=True).first()
        if pk is not None:
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])


def pages_that_show_it(client: Client, addresses: list[str], **options: Any) -> list[str]:
    """Those of the addresses of which the answer has the canary in it."""
    found = []
    for address in addresses:
        answer = client.get(address, **options)
        assert answer.status_code < 500, address
        if CANARY.encode() in answer.getvalue():
            found.append(address)
    return found


def legible(content: bytes) -> bytes:
    """What somebody can read in a document: a PDF's text and what is attached to it, and each file of an archive."""
    if content.startswith(b"%PDF"):
        document = PdfReader(BytesIO(content))
        texts = [page.extract_text().encode() for page in document.pages]
        attached = [part for parts in document.attachments.values() for part in parts]
        return b"\n".join([*texts, *attached, str(document.metadata).encode()])
    if content.startswith(b"PK"):
        with ZipFile(BytesIO(content)) as archive:
            return b"\n".join(legible(archive.read(name)) for name in archive.namelist())
    return content


def documents_of(order: Order) -> Iterator[tuple[str, bytes]]:
    """Every file that the admin and the portal hand out about an order, its customer and its invoices."""
    staff, owner = Client(), Client()
    staff.force_login(UserFactory(is_staff=True, is_superuser=True))
    owner.force_login(MembershipFactory(customer=order.customer).user)
    for model, action, pk in (
        ("customers/customer", "export", order.customer_id),
        ("customers/customer", "export_workbook", order.customer_id),
        ("orders/order", "export_csv", order.pk),
    ):
        yield action, staff.post(f"/admin/{model}/", {"action": action, "_selected_action": [pk]}).getvalue()
    for name in EXPORTS:
        yield name, staff.get(reverse("admin:billing_report_csv", args=[name])).getvalue()
    yield "documents.zip", staff.get(reverse("admin:billing_report_zip")).getvalue()
    number = Invoice.objects.get(order=order).number
    yield "pdf", owner.get(f"/invoices/{number}/pdf/").getvalue()
    report = MonthlyReport.objects.filter(order=order).latest("month")
    yield "report", owner.get(reverse("portal:report_pdf", args=[order.reference, report.month])).getvalue()


def test_it_is_sown_in_every_encrypted_column(order: Order) -> None:
    sown = {
        (model.__name__, column)
        for model, column in sealed_columns()
        if any(CANARY in str(value) for value in model._default_manager.values_list(column, flat=True))
    }
    assert sown == {(model.__name__, column) for model, column in sealed_columns()} - NOT_SOWN


def test_no_column_of_the_database_shows_it(order: Order) -> None:
    assert list(columns_that_show_it()) == []


def test_no_page_of_the_admin_shows_it(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    others = ("/admin/" + address.format(pk=order.pk) for address in ADDRESSES if not address.endswith(SHOW_NO_ROW))
    addresses = sorted({*own_pages_of_admin(), *others})
    assert len(addresses) > 80
    assert pages_that_show_it(client, addresses) == []
    assert CANARY not in caplog.text


def test_no_page_of_the_portal_shows_it(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = Client()
    client.force_login(MembershipFactory(customer=order.customer).user)
    portal = [filled_in(address, order) for address in CLOSED if not address.startswith("/api/")]
    assert pages_that_show_it(client, [*portal, "/readyz"]) == []
    assert CANARY not in caplog.text


def test_no_answer_of_the_api_shows_it_to_staff_or_owner(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    addresses = [filled_in(address, order) for address in CLOSED if address.startswith("/api/")]
    users = (UserFactory(is_staff=True, is_superuser=True), MembershipFactory(customer=order.customer).user)
    for user in users:
        assert pages_that_show_it(Client(), addresses, headers=program(user)) == []
    assert CANARY not in caplog.text


def test_no_document_shows_it(
    drive: Drive, order: Order, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("billing.documents.tasks.invoice_pdf", invoice_pdf)  # not the page that stands for it
    write_history(order, 0)
    make_reports()
    for controller in controllers():
        if controller.name in ("invoice pdf", "report pdf"):
            while controller.run():
                pass
    found = {name: legible(content) for name, content in documents_of(order)}
    # What is looked through can be read: nearly every document names the customer.
    silent = {name for name, text in found.items() if b"Waterschap Vallei" not in text}
    assert silent <= {"icp", "oss", "revenue", "vat"}
    assert b"urn:oasis:names:specification:ubl" in found["documents.zip"]
    assert b"urn:un:unece:uncefact" in found["pdf"]
    assert [name for name, text in found.items() if CANARY.encode() in text] == []
    assert CANARY not in caplog.text


def test_neither_metrics_nor_the_schema_show_it(order: Order) -> None:
    headers = {"authorization": "Bearer a-token-of-the-tests"}
    assert pages_that_show_it(Client(), ["/metrics"], headers=headers) == []
    assert pages_that_show_it(Client(), ["/api/schema/"]) == []


def test_a_failure_of_ours_shows_no_setting_to_the_visitor(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr("django.contrib.auth.get_user", fail)
    monkeypatch.setattr("live.health.queue_status", fail)
    client = Client(raise_request_exception=False)
    answer = client.get("/readyz")
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
    assert project_settings.SECRET_KEY not in answer.content.decode()


def test_the_life_of_an_order_leaves_it_in_no_event_mail_log_or_table(
    drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider, failing_launches=1)
    order = make_draft(sandbox=True)
    ReleaseBundle.objects.create(release=order.release, archive=b"")
    OrderSecrets.objects.filter(order=order).update(values={"admin_password": CANARY})
    place_order(order=order)
    approve_order(order=order)
    drive.settle()
    remove_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == "removed"
    assert Message.objects.exclude(sent_at=None).exists()
    assert list(columns_that_show_it()) == []
    assert not [letter for letter in mail.outbox if CANARY in letter.message().as_string()]
    assert CANARY not in caplog.text
