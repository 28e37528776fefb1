"""Staff start syncs and decide conflicts in the admin; whoever may not is refused."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from customers.models import Customer, WhmcsClientRow, WhmcsConflict, WhmcsSync
from tests.factories import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db


def operator(*codenames: str) -> Client:
    user = UserFactory(is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def conflict() -> WhmcsConflict:
    customer: Customer = CustomerFactory(phone="1")
    WhmcsClientRow.objects.create(client_id=7, customer=customer, values={"phone": "3"})
    return WhmcsConflict.objects.create(
        client_id=7, customer=customer, kind="changed_here", field="phone", here="1", there="2"
    )


@pytest.mark.parametrize(("action", "phone"), [("take", "2"), ("keep", "1")])
def test_conflict_is_decided_once_it_is_confirmed(action: str, phone: str) -> None:
    row = conflict()
    staff = operator("view_whmcsconflict", "sync_whmcs")
    url = reverse("admin:customers_whmcsconflict_changelist")
    asked = {"action": action, "_selected_action": row.pk}
    assert b"WHMCS" in staff.post(url, asked).content
    row.refresh_from_db()
    assert row.resolved_at is None
    staff.post(url, {**asked, "confirmed": "yes"})
    row.refresh_from_db()
    assert row.resolved_at is not None
    assert row.customer is not None
    row.customer.refresh_from_db()
    assert row.customer.phone == phone
    assert WhmcsClientRow.objects.get().values["phone"] == "2"
    assert str(row.pk) not in [found.pk for found in staff.get(url).context["cl"].queryset]


def test_staff_who_may_only_look_decide_nothing() -> None:
    row = conflict()
    staff = operator("view_whmcsconflict", "view_whmcssync")
    url = reverse("admin:customers_whmcsconflict_changelist")
    staff.post(url, {"action": "take", "_selected_action": row.pk, "confirmed": "yes"})
    row.refresh_from_db()
    assert row.resolved_at is None
    assert staff.post(reverse("admin:customers_whmcssync_sync_now"), {"confirmed": "yes"}).status_code == 403


def test_sync_is_requested_from_its_list(settings: Settings) -> None:
    staff = operator("view_whmcssync", "sync_whmcs")
    url = reverse("admin:customers_whmcssync_sync_now")
    staff.post(url, {"confirmed": "yes"})
    assert not WhmcsSync.objects.exists()
    settings.WHMCS_URL, settings.WHMCS_IDENTIFIER, settings.WHMCS_SECRET = "https://whmcs.example", "i", "s"
    assert staff.get(url).status_code == 200
    staff.post(url, {"confirmed": "yes"})
    assert WhmcsSync.objects.get().next_attempt_at is not None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"WHMCS_URL": "https://whmcs.example"}, "customers.E001"),
        ({"WHMCS_URL": "whmcs.example", "WHMCS_IDENTIFIER": "i", "WHMCS_SECRET": "s"}, "customers.E002"),
        ({"WHMCS_URL": "http://whmcs.example", "WHMCS_IDENTIFIER": "i", "WHMCS_SECRET": "s"}, "customers.W001"),
        ({"WHMCS_WEBHOOK_SECRET": "short"}, "customers.E003"),
    ],
)
def test_settings_that_contradict_each_other_are_reported(
    settings: Settings, values: dict[str, str], expected: str
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert expected in {message.id for message in run_checks()}
