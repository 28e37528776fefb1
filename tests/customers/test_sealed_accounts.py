from __future__ import annotations

import base64
import hashlib
import importlib
import json
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore as DjangosOwnStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse

from core.fields import decrypt
from live.sealed_sessions import SessionStore
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
migration = importlib.import_module("customers.migrations.0005_sealed_second_factors")


def test_a_secret_sealed_by_the_former_version_still_opens(settings: object) -> None:
    settings.SECRETS_KEYS, settings.SECRET_KEY = [], "the key of a site that runs"
    key = base64.urlsafe_b64encode(hashlib.sha256(b"live.lib.encrypted:the key of a site that runs").digest())
    assert decrypt(Fernet(key).encrypt(b"kept").decode()) == "kept"


def test_the_secrets_of_an_authenticator_app_and_of_recovery_codes_are_sealed() -> None:
    user = UserFactory()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(user)
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert "JBSWY3DPEHPK3PXP" not in stored
    assert not any(code in stored for code in codes.generate_codes())
    assert decrypt(Authenticator.objects.get(type="totp").data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert codes.validate_code(codes.generate_codes()[0])


def test_secrets_of_the_version_before_are_sealed_once_and_open_again_on_the_way_back() -> None:
    app = Authenticator.objects.create(user=UserFactory(), type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    codes = Authenticator.objects.create(
        user=app.user, type="recovery_codes", data={"migrated_codes": ["1234", "5678"]}
    )
    migration.seal(apps, None)
    app.refresh_from_db()
    assert app.data["secret"] != "JBSWY3DPEHPK3PXP"
    assert decrypt(app.data["secret"]) == "JBSWY3DPEHPK3PXP"
    migration.open_again(apps, None)
    codes.refresh_from_db()
    assert codes.data == {"migrated_codes": ["1234", "5678"]}


def test_a_sign_in_code_that_waits_to_be_typed_is_not_readable_in_the_database(client: Client) -> None:
    UserFactory(email="ann@example.org")
    client.post(reverse("account_request_login_code"), {"email": "ann@example.org"})
    (code,) = re.findall(r"^[A-Z0-9-]{6,9}$", str(mail.outbox[-1].body), re.M)
    session = Session.objects.get()
    assert code in json.dumps(SessionStore(session.session_key).load())
    assert DjangosOwnStore(session.session_key).load() == {}


def test_a_session_that_no_key_opens_is_an_empty_one() -> None:
    assert SessionStore().decode("nonsense") == {}
