"""A passkey is added and signs its owner in, with a virtual authenticator of the browser."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from customers.models import User
from tests.lab.browser.conftest import OpenPage, sign_in

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def give_authenticator(page: Page) -> None:
    """The browser has an authenticator that says yes by itself (WebAuthn level 3, section 11)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def test_a_passkey_is_added_and_signs_in(open_page: OpenPage, member: User) -> None:
    page = open_page()
    give_authenticator(page)
    sign_in(page)
    page.goto("/account/two-factor/webauthn/add/")
    page.locator("input[name=name]").fill("Laptop")
    page.locator("input[name=passwordless]").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Add the key").click()
    page.goto("/account/two-factor/webauthn/")
    expect(page.locator("main")).to_contain_text("Laptop")
    assert Authenticator.objects.filter(user=member, type=Authenticator.Type.WEBAUTHN).count() == 1

    page.context.clear_cookies()
    page.goto("/account/login/")
    page.get_by_role("button", name="passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Orders")
