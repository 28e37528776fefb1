"""In by a code from the mail; staff also by a password; both with a second step for who wants one."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client

from customers.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def code_in_the_mail() -> str:
    found = re.search(r"^\s*([A-Z0-9-]{6,12})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def test_the_code_in_the_mail_lets_its_reader_in(client: Client, owner: User) -> None:
    asked = client.get("/")
    assert asked["Location"] == "/account/login/?next=/"
    response = client.post("/account/login/", {"email": owner.email.upper(), "next": "/customers/"}, follow=True)
    assert b"we have sent it a code" in response.content
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([owner.email], "Your Geocat Live sign-in code")
    code = code_in_the_mail()
    assert isinstance(letter, mail.EmailMultiAlternatives)
    assert code in str(letter.alternatives[0][0])
    response = client.post("/account/login/code/", {"code": code, "next": "/customers/"})
    assert (response.status_code, response["Location"]) == (302, "/customers/")
    assert client.get("/").status_code == 200


def test_an_unknown_address_is_answered_like_a_known_one(owner: User) -> None:
    existing, unknown = Client(), Client()
    pages = [
        browser.post("/account/login/", {"email": email}, follow=True).content.decode()
        for browser, email in ((existing, owner.email), (unknown, "olgb@example.org"))
    ]
    without_names = [re.sub(r"\w+@example.org|value=\"\w{64}\"", "", page) for page in pages]
    assert without_names[0] == without_names[1]
    assert "no account with this address" in str(mail.outbox[1].body)
    assert not User.objects.filter(email="olgb@example.org").exists()


def test_a_wrong_code_lets_nobody_in_and_three_end_the_try(client: Client, owner: User) -> None:
    client.post("/account/login/", {"email": owner.email})
    first = client.post("/account/login/code/", {"code": "WRONG1"})
    assert b"Incorrect code" in first.content
    client.post("/account/login/code/", {"code": "WRONG2"})
    last = client.post("/account/login/code/", {"code": "WRONG3"})
    assert last["Location"] == "/account/login/"
    assert client.post("/account/login/code/", {"code": code_in_the_mail()}).status_code == 302
    assert client.get("/").status_code == 302


def test_a_mail_server_that_is_down_breaks_no_page(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("no mail today")

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", down)
    response = client.post("/account/login/", {"email": owner.email}, follow=True)
    assert response.status_code == 200
    assert b"We cannot send e-mail at the moment" in response.content
    assert "no mail today" in caplog.text
    assert owner.email not in caplog.text


def test_nobody_signs_up(client: Client) -> None:
    for response in (client.get("/account/signup/"), client.post("/account/signup/", {"email": "x@example.org"})):
        assert response.status_code in (302, 405)
    assert User.objects.count() == 0


def test_whoever_was_shut_out_gets_no_code(client: Client, owner: User) -> None:
    owner.is_active = False
    owner.save()
    client.post("/account/login/", {"email": owner.email})
    assert "no account with this address" in str(mail.outbox[0].body)


def test_codes_cannot_be_asked_for_without_end(client: Client, owner: User) -> None:
    for _ in range(3):
        Client().post("/account/login/", {"email": owner.email})
    response = client.post("/account/login/", {"email": owner.email})
    assert b"Too many" in response.content
    assert len(mail.outbox) == 3


def test_staff_enter_the_admin_by_password_through_the_same_door(client: Client) -> None:
    chief = User.objects.create_superuser("chief", "chief@example.org", "correct horse battery")
    assert client.get("/admin/login/", {"next": "/admin/"})["Location"].startswith("/account/login/?next=")
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    form = {"login": "chief", "password": "correct horse battery", "next": "/admin/"}
    assert client.post("/account/login/password/", form)["Location"] == "/admin/"
    assert client.session["_auth_user_id"] == str(chief.pk)


def test_the_second_step_also_guards_the_admin(client: Client) -> None:
    chief = User.objects.create_superuser("chief", "chief@example.org", "correct horse battery")
    secret = generate_totp_secret()
    TOTP.activate(chief, secret)
    form = {"login": "chief", "password": "correct horse battery", "next": "/admin/"}
    assert client.post("/account/login/password/", form)["Location"].startswith("/account/two-factor/authenticate/")
    assert client.get("/admin/").status_code == 302
    assert b"authenticator app" in client.get("/account/two-factor/authenticate/").content
    counter = next(iter(yield_hotp_counters_from_time()))
    code = format_hotp_value(hotp_value(secret, counter))
    assert client.post("/account/two-factor/authenticate/", {"code": code})["Location"] == "/admin/"


@pytest.mark.django_db(transaction=True)  # the mail leaves after commit
def test_a_second_step_is_set_up_and_told_by_mail(client: Client, owner: User) -> None:
    client.force_login(owner)
    page = client.get("/account/two-factor/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    assert b"data:image/svg+xml" in page.content
    counter = next(iter(yield_hotp_counters_from_time()))
    code = format_hotp_value(hotp_value(secret, counter))
    done = client.post("/account/two-factor/totp/activate/", {"code": code})
    assert done["Location"] == "/account/two-factor/recovery-codes/"
    assert mail.outbox[0].to == [owner.email]
    assert "Your sign-in settings have changed" in str(mail.outbox[0].body)
    for page_url in ("", "recovery-codes/", "recovery-codes/generate/", "recovery-codes/download/"):
        assert client.get(f"/account/two-factor/{page_url}").status_code == 200
    assert Authenticator.objects.filter(user=owner).count() == 2
    assert len(RecoveryCodes(Authenticator.objects.get(user=owner, type="recovery_codes")).get_unused_codes()) == 10


def test_a_user_with_a_password_confirms_it_before_changing_how_to_sign_in(client: Client) -> None:
    user: User = UserFactory()
    user.set_password("correct horse battery")
    user.save()
    client.force_login(user)
    response = client.get("/account/two-factor/totp/activate/", follow=True)
    assert b"Confirm your identity" in response.content
    assert client.get("/account/password/change/").status_code == 200
