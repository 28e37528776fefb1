"""Who wants to see a password and has none of his or her own confirms by a code by e-mail."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client

from customers.models import User
from live.portal.confirmation.services import ATTEMPTS, confirmation_url
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db

PAGE = "/confirm/?next=/profile/"


@pytest.fixture
def client(owner: User, sign_in: SignIn) -> Client:
    return sign_in(owner)


def sent_code() -> str:
    found = re.search(r"^([A-Z0-9]+-[A-Z0-9]+|[A-Z0-9]{6,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found[1]


def test_a_code_by_mail_leads_back_to_the_page(client: Client, owner: User) -> None:
    assert "Send me a code" in client.get(PAGE).content.decode()
    client.post(PAGE, {"next": "/profile/"})
    assert mail.outbox[-1].to == [owner.email]
    assert "confirmation code" in mail.outbox[-1].subject
    done = client.post(PAGE, {"next": "/profile/", "code": sent_code().lower()})
    assert done["Location"] == "/profile/"
    records = client.session["account_authentication_methods"]
    assert records[-1]["reauthenticated"] is True


def test_a_code_works_once(client: Client) -> None:
    client.post(PAGE, {})
    code = sent_code()
    client.post(PAGE, {"code": code})
    again = client.post(PAGE, {"code": code})
    assert again.status_code == 422
    assert "no longer works" in again.content.decode()


def test_a_code_can_be_tried_three_times(client: Client) -> None:
    client.post(PAGE, {})
    code = sent_code()
    for attempt in range(ATTEMPTS):
        wrong = client.post(PAGE, {"code": "WRONG"})
        assert wrong.status_code == 422
        assert ("no longer works" in wrong.content.decode()) is (attempt == ATTEMPTS - 1)
    assert client.post(PAGE, {"code": code}).status_code == 422


def test_a_code_expires_after_ten_minutes(client: Client) -> None:
    with time_machine.travel("2026-06-01T10:00:00Z", tick=False) as moment:
        client.post(PAGE, {})
        moment.shift(timedelta(minutes=11))
        assert client.post(PAGE, {"code": sent_code()}).status_code == 422


def test_a_code_is_for_the_person_who_requested_it(client: Client, stranger: User) -> None:
    client.post(PAGE, {})
    code = sent_code()
    session = client.session
    session["_auth_user_id"] = str(stranger.pk)
    session["_auth_user_hash"] = stranger.get_session_auth_hash()
    session.save()
    assert client.post(PAGE, {"code": code}).status_code == 422


def test_codes_cannot_be_requested_without_end(client: Client) -> None:
    for _attempt in range(3):
        client.post(PAGE, {})
    assert len(mail.outbox) == 3
    refused = client.post(PAGE, {})
    assert "Too many codes were requested" in refused.content.decode()
    assert len(mail.outbox) == 3


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_only_pages_of_this_site_are_led_back_to(client: Client, address: str) -> None:
    client.post("/confirm/", {})
    done = client.post("/confirm/", {"next": address, "code": sent_code()})
    assert done["Location"] == "/"


def test_who_has_a_password_is_asked_for_that(owner: User, sign_in: SignIn) -> None:
    owner.set_password("a-long-enough-password")
    owner.save()
    assert confirmation_url(owner, next_url="/profile/") == "/account/reauthenticate/?next=%2Fprofile%2F"
