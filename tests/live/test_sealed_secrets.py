"""A lost or wrong key is noticed at start, and a new key takes over from an old one."""

from __future__ import annotations

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from core.fields import decrypt, encrypt
from live.models import SecretsCanary
from live.reseal import sealed_columns
from live.sealed_sessions import SessionStore
from live.secrets_check import report_wrong_key, secrets_status, write_canary
from orders.models import OrderSecrets
from tests.factories import UserFactory, make_draft

pytestmark = pytest.mark.django_db
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    """Everything is sealed with the old key at first."""
    settings.SECRETS_KEYS = [OLD]


def reseal() -> str:
    out = StringIO()
    call_command("reseal", stdout=out)
    return out.getvalue().strip()


def test_wrong_key_is_reported_by_readyz_the_log_and_setup(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/readyz").json()["secrets"] == "not set up"
    write_canary()
    assert client.get("/readyz").json()["secrets"] == "ok"
    settings.SECRETS_KEYS = [OTHER]
    response = client.get("/readyz")
    assert (response.status_code, response.json()["secrets"]) == (503, "wrong key")
    report_wrong_key()
    assert "do not open with SECRETS_KEYS" in caplog.text
    with pytest.raises(ImproperlyConfigured, match=r"manage\.py reseal"):
        write_canary()


def test_worker_does_not_start_with_a_wrong_key(settings: Settings) -> None:
    write_canary()
    settings.SECRETS_KEYS = [OTHER]
    with pytest.raises(CommandError, match="do not open"):
        call_command("worker")


def test_keys_that_are_set_for_the_first_time_leave_the_derived_key_in_use(settings: Settings) -> None:
    settings.SECRETS_KEYS = []
    write_canary()
    settings.SECRETS_KEYS = [NEW]
    assert secrets_status() == "ok"


def test_after_reseal_the_old_key_can_be_dropped(settings: Settings) -> None:
    write_canary()
    OrderSecrets.objects.filter(order=make_draft()).update(values={"password": "kept"})
    app = TOTP.activate(UserFactory(), "JBSWY3DPEHPK3PXP").instance
    RecoveryCodes.activate(app.user)
    Authenticator.objects.create(user=UserFactory(), type="recovery_codes", data={"migrated_codes": [encrypt("1234")]})
    session = SessionStore()
    session["code"] = "ABC"
    session.save()
    settings.SECRETS_KEYS = [NEW, OLD]
    assert reseal() == "Resealed 6; 0 already used the newest key."
    assert reseal() == "Resealed 0; 6 already used the newest key."
    settings.SECRETS_KEYS = [NEW]
    assert OrderSecrets.objects.get().values == {"password": "kept"}
    app.refresh_from_db()
    assert decrypt(app.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert SessionStore(session.session_key)["code"] == "ABC"
    assert secrets_status() == "ok"


def test_what_no_key_opens_is_counted_and_left_as_it_is(settings: Settings) -> None:
    write_canary()
    settings.SECRETS_KEYS = [NEW]
    with pytest.raises(CommandError, match=r"live_secretscanary \(1\)"):
        reseal()
    settings.SECRETS_KEYS = [OLD]
    assert SecretsCanary.objects.get().sealed == "canary"


def test_every_encrypted_field_of_every_room_is_resealed() -> None:
    names = {f"{model._meta.label}.{column}" for model, column in sealed_columns()}
    assert {"live.SecretsCanary.sealed", "orders.OrderSecrets.values"} < names
    assert not Session.objects.exists()
