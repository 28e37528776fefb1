"""What a browser or a forged request may make this site do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings as project_settings
from django.core import mail
from django.core.cache import cache
from django.test import Client

from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import User
from orders.models import Order
from tests.api.conftest import furnish
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft
from tests.live.test_every_address import CLOSED, filled_in, state

pytestmark = pytest.mark.django_db

PASSWORD = "four-random-words-here"
ELSEWHERE = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "https:evil.example")
OWN_PAGES = [address for address in CLOSED if not address.startswith("/api/")]


@pytest.fixture(autouse=True)
def _no_rate_limit_left_over() -> None:
    cache.clear()


@pytest.fixture
def order() -> Order:
    """An order with a row in every room, and an open invitation."""
    order = furnish(make_draft(name="Maps", customer=CustomerFactory()))
    invite_member(customer=order.customer, email="ann@example.org", role=Role.BILLING)
    return order


@pytest.fixture
def owner(order: Order) -> User:
    user: User = MembershipFactory(customer=order.customer).user
    return user


@pytest.fixture
def staff() -> User:
    """A member of staff who signs in by a password."""
    user: User = UserFactory(username="ada", email="ada@example.org", is_staff=True)
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, password: str, next_page: str = "", **headers: str) -> int:
    """The status of an attempt to sign in as the member of staff."""
    form = {"login": "ada@example.org", "password": password, "next": next_page}
    return client.post("/account/login/password/", form, **headers).status_code


def test_every_page_of_our_own_forbids_inline_scripts_and_frames(order: Order, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    looked_at = 0
    for address in [*(filled_in(address, order) for address in OWN_PAGES), "/account/login/"]:
        answer = client.get(address)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy, address
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy or answer.status_code == 404, address
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        looked_at += answer.status_code == 200
    assert looked_at > 15


def test_only_pages_that_others_wrote_have_a_relaxed_policy() -> None:
    assert project_settings.CONTENT_SECURITY_RELAXED_AT == ("/admin/", "/api/docs/")
    assert Client().get("/admin/login/", follow=True)["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("address", OWN_PAGES)
def test_no_form_is_taken_without_its_csrf_token(address: str, order: Order, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    before = state(order)
    assert client.post(filled_in(address, order)).status_code in (403, 405)
    assert state(order) == before


@pytest.mark.parametrize("address", ELSEWHERE)
def test_signing_in_leads_to_no_other_site(address: str, staff: User) -> None:
    client = Client()
    answer = client.post(
        "/account/login/password/", {"login": "ada@example.org", "password": PASSWORD, "next": address}
    )
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert "evil" not in answer["Location"]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_confirming_an_identity_leads_to_no_other_site(address: str, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert "evil" not in client.get("/account/confirm/", {"next": address}).content.decode()


def test_another_host_is_refused_and_gets_into_no_mail(owner: User) -> None:
    client = Client()
    assert client.get("/account/login/", headers={"host": "evil.example"}).status_code == 400
    client.post("/account/login/", {"email": owner.email}, headers={"x-forwarded-host": "evil.example"})
    assert mail.outbox
    assert not any("evil.example" in letter.message().as_string() for letter in mail.outbox)


def test_passwords_cannot_be_tried_without_end(staff: User) -> None:
    for number in range(5):
        assert sign_in(Client(), f"wrong {number}") in (200, 429)
    assert sign_in(Client(), PASSWORD) != 302, "the account is closed to attempts for some minutes"
    assert sign_in(Client(), PASSWORD, REMOTE_ADDR="203.0.113.9") != 302, "from another address too"


def test_a_made_up_forwarded_address_is_no_way_around_the_limit(staff: User) -> None:
    statuses = [
        sign_in(Client(), f"wrong {number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}", REMOTE_ADDR="198.51.100.1")
        for number in range(12)
    ]
    assert 429 in statuses or sign_in(Client(), PASSWORD) != 302


def test_signing_in_gives_a_new_session(staff: User) -> None:
    client = Client()
    client.get("/account/login/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[project_settings.SESSION_COOKIE_NAME] = session.session_key
    assert sign_in(client, PASSWORD) == 302
    assert client.cookies[project_settings.SESSION_COOKIE_NAME].value != session.session_key


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(staff: User) -> None:
    client = Client()
    assert sign_in(client, PASSWORD) == 302
    cookie = client.cookies[project_settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_over_https_cookies_are_secure_and_browsers_stay_there() -> None:
    environment = {**os.environ, "SITE_URL": "https://live.example", "SECRET_KEY": "x" * 60, "DEBUG": "false"}
    names = "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"
    program = (
        f"from live import settings as s; print([bool(getattr(s, n)) for n in {(*names, 'STAFF_MFA_REQUIRED')!r}])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=project_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == str([True] * 5)
