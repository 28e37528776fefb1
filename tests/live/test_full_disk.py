"""A full disk is said in words, to people and to whatever watches this site, and heals by itself."""

from __future__ import annotations

import errno
import sys
from typing import Any

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from pytest_django import Settings

from live.disk import full_disk
from live.disk.full_disk import disk_status, is_full_disk, server_error

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


def caused_by(cause: Exception) -> OperationalError:
    """The error that Django makes of its database's."""
    error = OperationalError("could not extend file")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (NO_SPACE, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OperationalError("database or disk is full"), True),
        (caused_by(psycopg.errors.DiskFull("could not extend file")), True),
        (caused_by(NO_SPACE), True),
        (OperationalError("no such table"), False),
        (OSError(errno.ENOENT, "No such file"), False),
        (ValueError("database or disk is full"), False),
        (None, False),
    ],
)
def test_full_disk_is_known_by_its_error(error: Exception | None, is_full: bool) -> None:
    assert is_full_disk(error) is is_full


def test_errors_that_led_to_each_other_come_to_an_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert is_full_disk(first) is False


@pytest.mark.parametrize("path", ["/account/login/", "/admin/", "/api/v1/orders/"])
def test_page_and_api_say_what_to_do(path: str) -> None:
    try:
        raise caused_by(NO_SPACE)
    except OperationalError:
        response = server_error(RequestFactory().post(path))
    assert (response.status_code, response["Retry-After"]) == (507, "60")
    assert "no space left to store anything" in response.content.decode()


def test_any_other_error_is_unexpected_as_before() -> None:
    try:
        raise ValueError("a bug")
    except ValueError:
        response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "space" not in response.content.decode()
    assert sys.exc_info()[1] is None


@pytest.mark.django_db
def test_sign_in_on_a_full_disk_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise NO_SPACE

    client = Client(raise_request_exception=False)
    monkeypatch.setattr("live.sealed_sessions.SessionStore.save", fail)  # the code waits in the session
    response = client.post("/account/login/", {"email": "somebody@example.org"})
    assert response.status_code == 507
    assert "try again in a few minutes" in response.content.decode()


# --- Readiness ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status"),
    [(NO_SPACE, "full"), (OSError(errno.EROFS, "Read-only file system"), "not writable")],
)
def test_not_ready_while_nothing_can_be_written(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: OSError, status: str
) -> None:
    def fail(**_options: Any) -> None:
        raise error

    assert client.get("/readyz").json()["disk"] == "ok"
    with monkeypatch.context() as patched:
        patched.setattr(full_disk, "NamedTemporaryFile", fail)
        response = client.get("/readyz")
    assert (response.status_code, response.json()["disk"]) == (503, status)
    assert client.get("/readyz").status_code == 200


def test_probe_leaves_nothing_behind(settings: Settings, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path / "new" / "var"
    assert disk_status() == "ok"
    assert list(settings.VAR_DIR.iterdir()) == []
