"""Reports come in by webhook and by pipe."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from core import clock
from core.signatures import sign
from customers.bounces.report import LONGEST
from customers.models import Bounce
from tests.customers.bounces.conftest import GONE, Write
from tests.customers.bounces.reports import report_about

pytestmark = pytest.mark.django_db

SECRET = "shared-with-the-mail-server"


def push(body: bytes, secret: str = SECRET, **headers: str) -> Any:
    signature = sign(secret, body, at=clock.now())
    return Client().post(
        "/hooks/mail/", body, content_type="message/rfc822", headers={"X-Live-Signature": signature, **headers}
    )


@pytest.fixture
def _with_webhook(settings: Settings) -> None:
    settings.MAIL_WEBHOOK_SECRET = SECRET


@pytest.mark.usefixtures("_with_webhook")
def test_signed_report_is_kept_however_often_it_is_pushed(write: Write) -> None:
    content = report_about(write())
    for _ in range(2):
        response = push(content)
        assert (response.status_code, response.json()) == (202, {"addresses": [GONE]})
    assert Bounce.objects.count() == 1


@pytest.mark.usefixtures("_with_webhook")
@pytest.mark.parametrize("secret", ["wrong", ""])
def test_report_that_is_signed_otherwise_is_refused(write: Write, secret: str) -> None:
    assert push(report_about(write()), secret).status_code == 401
    assert not Bounce.objects.exists()


@pytest.mark.usefixtures("_with_webhook", "two_pushes_a_minute")
def test_storm_from_one_address_is_throttled(write: Write) -> None:
    content = report_about(write())
    assert [push(content).status_code for _ in range(3)] == [202, 202, 429]


@pytest.mark.usefixtures("_with_webhook")
def test_old_signature_is_refused(write: Write) -> None:
    content = report_about(write())
    response = push(content, **{"X-Live-Signature": sign(SECRET, content, at=clock.now().replace(year=2020))})
    assert response.status_code == 401


@pytest.mark.usefixtures("_with_webhook")
@pytest.mark.parametrize(("body", "status"), [(b"Subject: hello\n\n", 400), (b"", 400), (b" " * (LONGEST + 1), 413)])
def test_body_that_is_no_report_is_refused(body: bytes, status: int) -> None:
    assert push(body).status_code == status


def test_without_a_secret_there_is_no_webhook(write: Write) -> None:
    assert push(report_about(write())).status_code == 404


def pipe(content: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    output = io.StringIO()
    call_command("bounce", stdout=output)
    return output.getvalue()


def test_piped_report_is_kept(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pipe(report_about(write()), monkeypatch).strip() == f"{GONE}: Address does not work"
    assert Bounce.objects.count() == 1


def test_piped_mail_that_is_no_report_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pipe(b"Subject: I am on holiday\n\nBack soon", monkeypatch).startswith("Ignored: ")


def test_mail_server_keeps_a_report_that_the_database_does_not_take(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_database(_content: bytes) -> None:
        raise OperationalError

    content = report_about(write())
    monkeypatch.setattr("customers.management.commands.bounce.record_report", no_database)
    with pytest.raises(CommandError) as raised:
        pipe(content, monkeypatch)
    assert raised.value.returncode == 75
