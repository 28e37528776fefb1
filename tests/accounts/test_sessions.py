"""Where somebody is signed in, and how that is ended elsewhere."""

from __future__ import annotations

import pytest
from django.test import Client

from customers.models import User
from live.templatetags.accounts import browser
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"


def signed_in(user: User, agent: str) -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/account/login/password/", {"login": user.username, "password": "a long password of hers"})
    assert client.get("/").status_code == 200
    return client


@pytest.fixture
def anna() -> User:
    user: User = UserFactory(username="anna")
    user.set_password("a long password of hers")
    user.save()
    return user


def test_sessions_are_listed_and_ended_elsewhere(anna: User) -> None:
    here, there = signed_in(anna, FIREFOX), signed_in(anna, EDGE)
    page = here.get("/account/sessions/").content
    assert b"Firefox on Linux" in page
    assert b"Edge on Windows" in page
    assert page.count(b"This session") == 1
    here.post("/account/sessions/")
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    alone = here.get("/account/sessions/").content
    assert b"Edge on Windows" not in alone
    assert b'action="/account/logout/"' in alone


def test_sessions_of_others_are_not_listed(anna: User) -> None:
    signed_in(anna, FIREFOX)
    client = Client(headers={"user-agent": EDGE})
    client.force_login(UserFactory())
    assert b"Firefox on Linux" not in client.get("/account/sessions/").content


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (FIREFOX, "Firefox on Linux"),
        (EDGE, "Edge on Windows"),
        ("Mozilla/5.0 (iPhone) Version/18 Mobile Safari/604.1", "Safari on iPhone"),
        ("curl/8.1", "curl/8.1"),
        ("Chrome/140", "Chrome"),
        ("", "Unknown program"),
    ],
)
def test_a_browser_in_short(agent: str, shown: str) -> None:
    assert browser(agent) == shown
