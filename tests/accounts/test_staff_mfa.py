"""Where the settings require it, staff without a device reach nothing but the pages to set one up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings

from customers.models import ApiToken, User
from tests.factories import UserFactory
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required() -> Iterator[None]:
    with override_settings(STAFF_MFA_REQUIRED=True):
        yield


@pytest.fixture
def staff() -> User:
    user: User = UserFactory(is_staff=True, is_superuser=True)
    return user


def test_staff_without_a_device_are_led_to_set_one_up(staff: User, sign_in: SignIn) -> None:
    client = sign_in(staff)
    for page in ("/admin/", "/admin/customers/customer/", "/", "/customers/"):
        assert client.get(page)["Location"] == "/account/two-factor/"
        assert client.post(page).status_code == 302
    shown = client.get("/admin/", follow=True).content
    assert b"Staff need two-factor authentication here" in shown
    assert client.get("/account/two-factor/").status_code == 200
    assert client.post("/account/logout/").status_code == 302


def test_the_api_refuses_their_session_and_takes_their_token(staff: User, sign_in: SignIn) -> None:
    refused = sign_in(staff).get("/api/v1/customers/")
    assert (refused.status_code, refused.json()["code"]) == (403, "mfa_required")
    _row, token = ApiToken.objects.create(user=staff)
    assert Client().get("/api/v1/customers/", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_recovery_codes_alone_are_no_device(staff: User, sign_in: SignIn) -> None:
    Authenticator.objects.create(user=staff, type="recovery_codes", data={})
    assert sign_in(staff).get("/admin/").status_code == 302


@pytest.mark.parametrize("kind", ["totp", "webauthn"])
def test_with_a_device_the_admin_is_open(staff: User, sign_in: SignIn, kind: str) -> None:
    Authenticator.objects.create(user=staff, type=kind, data={})
    assert sign_in(staff).get("/admin/").status_code == 200


def test_customers_people_are_not_asked(owner: User, sign_in: SignIn) -> None:
    assert sign_in(owner).get("/").status_code == 200
    assert Client().get("/healthz").status_code == 200


def test_without_the_setting_nobody_is_asked(staff: User, sign_in: SignIn) -> None:
    with override_settings(STAFF_MFA_REQUIRED=False):
        assert sign_in(staff).get("/admin/").status_code == 200
