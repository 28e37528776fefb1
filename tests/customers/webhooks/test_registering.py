"""Which webhooks can be registered, changed and seen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.choices import EventKind, Role, selectable_events
from customers.models import EventDelivery, Webhook
from customers.webhooks.services import (
    WEBHOOKS_PER_CUSTOMER,
    WebhookRefused,
    change_webhook,
    check_url,
    clean_events,
    create_webhook,
    delete_webhook,
    send_test,
)
from tests.api.conftest import make_staff
from tests.customers.webhooks.conftest import URL
from tests.factories import CustomerFactory, MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://register.example/", "begins with https"),
        ("ftp://register.example/", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("javascript:alert(1)", "begins with https"),
        ("register.example", "begins with https"),
        ("https://", "begins with https"),
        ("https://exa mple.org/", "begins with https"),
        ("https://example.org/\r\nX-Injected: 1", "begins with https"),
        ("https://example.org:99999/", "web address"),
        ("https://[::1/", "web address"),
        ("https://user:secret@example.org/", "user name or password"),
        ("https://127.0.0.1/", "private network"),
        ("https://10.1.2.3/", "private network"),
        ("https://169.254.169.254/latest/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
    ],
)
def test_address_that_must_not_be_sent_events_is_refused(url: str, reason: str) -> None:
    with pytest.raises(WebhookRefused, match=reason) as refused:
        check_url(url)
    assert refused.value.field == "url"


def test_plain_http_and_private_networks_are_a_setting(settings: Any) -> None:
    settings.WEBHOOKS_OVER_HTTP, settings.ALLOWED_PRIVATE_RANGES = True, ["10.1.0.0/16"]
    check_url("http://10.1.2.3:8080/hook")
    with pytest.raises(WebhookRefused):
        check_url("http://10.2.2.3/hook")


def test_events_are_kept_in_a_fixed_sequence_and_unknown_ones_refused() -> None:
    assert clean_events(["order.removed", "order.active", "order.removed"]) == ["order.active", "order.removed"]
    assert clean_events([]) == []
    for wrong in ("order.draft", "webhook.test", "", "ORDER.ACTIVE"):
        with pytest.raises(WebhookRefused) as refused:
            clean_events([wrong])
        assert refused.value.field == "events"
    assert EventKind.WEBHOOK_TEST.value not in dict(selectable_events())


def test_customer_has_a_limited_number_of_webhooks(webhook: Webhook) -> None:
    assert webhook.customer is not None
    for number in range(WEBHOOKS_PER_CUSTOMER - 1):
        create_webhook(name=f"{number}", url=URL, customer=webhook.customer)
    with pytest.raises(WebhookRefused, match="can have 20 webhooks"):
        create_webhook(name="too many", url=URL, customer=webhook.customer)
    assert create_webhook(name="of another", url=URL, customer=CustomerFactory()).pk


def test_change_keeps_what_is_not_given(webhook: Webhook) -> None:
    changed = change_webhook(webhook=webhook, name="  new name ")
    assert (changed.name, changed.url, changed.events, changed.secret) == ("new name", URL, [], webhook.secret)
    for wrong in ({"url": "http://x.example/"}, {"name": " "}, {"events": ["x"]}):
        with pytest.raises(WebhookRefused):
            change_webhook(webhook=webhook, **wrong)  # type: ignore[arg-type]


def test_deleted_webhook_takes_its_log_with_it(webhook: Webhook) -> None:
    send_test(webhook=webhook)
    delete_webhook(webhook=webhook)
    assert not EventDelivery.objects.exists()


@pytest.mark.parametrize(
    ("role", "sees"),
    [(Role.OWNER, True), (Role.TECHNICAL, True), (Role.BILLING, False), (Role.READ_ONLY, False)],
)
def test_members_who_operate_the_systems_see_the_webhooks(webhook: Webhook, role: Role, sees: bool) -> None:
    member = MembershipFactory(customer=webhook.customer, role=role)
    stranger = MembershipFactory(role=role)
    assert Webhook.objects.visible_to(member.user).exists() == sees
    assert not Webhook.objects.visible_to(stranger.user).exists()


def test_webhook_of_staff_is_visible_to_staff_with_the_permission_only(webhook: Webhook) -> None:
    create_webhook(name="staff", url=URL)
    member = MembershipFactory(customer=webhook.customer).user
    assert [row.name for row in Webhook.objects.visible_to(member)] == ["our register"]
    assert Webhook.objects.visible_to(make_staff("customers.view_webhook")).count() == 2
    assert not Webhook.objects.visible_to(make_staff("customers.view_customer")).exists()


def test_staff_register_a_webhook_in_the_admin_and_see_its_secret_once(webhook: Webhook) -> None:
    names = ("add_webhook", "view_webhook", "change_webhook", "view_customer", "view_eventdelivery")
    browser = Client()
    browser.force_login(make_staff(*(f"customers.{name}" for name in names)))
    add = reverse("admin:customers_webhook_add")
    refused = browser.post(add, {"name": "staff", "url": "https://10.0.0.1/", "events": []})
    assert "private network" in refused.content.decode()
    page = browser.post(add, {"name": "staff", "url": URL, "events": ["order.active"]}, follow=True)
    row = Webhook.objects.get(name="staff")
    assert (row.customer, row.events, row.created_by is not None) == (None, ["order.active"], True)
    assert row.secret in page.content.decode()
    change = reverse("admin:customers_webhook_change", args=(row.pk,))
    assert row.secret not in browser.get(change).content.decode()
    browser.post(change, {"name": "renamed", "url": URL, "events": []})
    row.refresh_from_db()
    assert (row.name, row.events, row.is_active) == ("renamed", [], False)


@pytest.mark.parametrize("name", ["test", "replay_failed", "rotate"])
def test_actions_of_staff_are_confirmed_and_need_the_permission(webhook: Webhook, name: str) -> None:
    rows = reverse("admin:customers_webhook_changelist")
    asked = {"action": name, "_selected_action": [webhook.pk]}
    reader, editor = Client(), Client()
    reader.force_login(make_staff("customers.view_webhook"))
    editor.force_login(make_staff("customers.view_webhook", "customers.change_webhook"))
    reader.post(rows, asked | {"confirmed": "1"})
    assert not EventDelivery.objects.exists()
    failed = send_test(webhook=webhook)
    EventDelivery.objects.update(failed_version=1, next_attempt_at=None)
    assert "confirmed" in editor.post(rows, asked).content.decode()
    page = editor.post(rows, asked | {"confirmed": "1"}, follow=True).content.decode()
    webhook.refresh_from_db()
    failed.refresh_from_db()
    changed = {
        "test": EventDelivery.objects.count() == 2,
        "replay_failed": not failed.has_failed,
        "rotate": webhook.previous_secret is not None and webhook.secret in page,
    }
    assert [action for action, happened in changed.items() if happened] == [name]
