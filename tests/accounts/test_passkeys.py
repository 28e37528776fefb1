"""Passkeys and security keys: added, used to sign in, renamed, removed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from customers.models import User
from tests.fakes.passkey import SoftKey
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db
HERE = "/account/two-factor/webauthn/"


class HttpsClient(Client):
    """A browser at https://testserver: elsewhere than on localhost, keys work over HTTPS only."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(**{"SERVER_NAME": "testserver", "wsgi.url_scheme": "https", **defaults})


@pytest.fixture
def sign_in() -> SignIn:
    def sign_in(user: User) -> Client:
        client = HttpsClient()
        client.force_login(user)
        return client

    return sign_in


def options_in(page: bytes) -> dict[str, Any]:
    found = re.search(r'<script id="js_data" type="application/json">(.*?)</script>', page.decode())
    assert found is not None
    options: dict[str, Any] = json.loads(found[1])
    return options


def add_key(client: Client, key: SoftKey, **fields: str) -> Any:
    options = options_in(client.get(f"{HERE}add/").content)["creation_options"]
    return client.post(f"{HERE}add/", {"name": "Blue key", "credential": key.register(options), **fields})


def test_a_key_is_added_with_recovery_codes_and_its_owner_is_mailed(owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    answer = add_key(client, SoftKey(), passwordless="on")
    assert answer["Location"] == "/account/two-factor/recovery-codes/"
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"webauthn", "recovery_codes"}
    assert mail.outbox[0].to == [owner.email]
    page = client.get(HERE).content
    assert b"Blue key" in page
    assert b"Blue key" in client.get("/account/two-factor/").content


def test_a_passkey_alone_signs_in(owner: User, sign_in: SignIn) -> None:
    key = SoftKey()
    add_key(sign_in(owner), key, passwordless="on")
    browser = HttpsClient()
    assert b"Sign in with a passkey" in browser.get("/account/login/").content
    options = browser.get(f"{HERE}login/", headers={"accept": "application/json"}).json()["request_options"]
    handle = user_pk_to_url_str(owner).encode()
    answer = browser.post(f"{HERE}login/", {"credential": key.sign(options, handle)})
    assert answer["Location"] == "/"
    assert browser.get("/").status_code == 200


def test_the_key_of_another_site_signs_nobody_in(owner: User, sign_in: SignIn) -> None:
    key = SoftKey()
    add_key(sign_in(owner), key, passwordless="on")
    key.origin = "https://phishing.example"
    browser = HttpsClient()
    options = browser.get(f"{HERE}login/", headers={"accept": "application/json"}).json()["request_options"]
    answer = browser.post(f"{HERE}login/", {"credential": key.sign(options, user_pk_to_url_str(owner).encode())})
    assert answer["Location"] == "/account/login/"
    assert browser.get("/").status_code == 302


def test_a_security_key_is_asked_for_after_the_code(owner: User, sign_in: SignIn) -> None:
    key, browser = SoftKey(), HttpsClient()
    add_key(sign_in(owner), key)
    mail.outbox.clear()
    browser.post("/account/login/", {"email": owner.email})
    code = re.search(r"^\s*([A-Z0-9-]{6,12})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code is not None
    answer = browser.post("/account/login/code/", {"code": code[1]}, follow=True)
    assert b"Use a passkey or security key" in answer.content
    wrong = browser.post("/account/two-factor/authenticate/", {"credential": "{}"})
    assert wrong.status_code == 200
    assert browser.get("/").status_code == 302
    options = options_in(wrong.content)["request_options"]
    browser.post("/account/two-factor/authenticate/", {"credential": key.sign(options)})
    assert browser.get("/").status_code == 200


def test_keys_are_renamed_and_removed_by_their_owner_alone(owner: User, stranger: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    add_key(client, SoftKey())
    key = Authenticator.objects.get(type="webauthn")
    for page in ("edit", "remove"):
        other = sign_in(stranger).get(f"{HERE}keys/{key.pk}/{page}/")
        assert other.status_code in (302, 404)
    client.post(f"{HERE}keys/{key.pk}/edit/", {"name": "Red key"})
    assert b"Red key" in client.get(HERE).content
    assert b"You can no longer sign in with this key" in client.get(f"{HERE}keys/{key.pk}/remove/").content
    client.post(f"{HERE}keys/{key.pk}/remove/")
    assert not Authenticator.objects.filter(type="webauthn").exists()
