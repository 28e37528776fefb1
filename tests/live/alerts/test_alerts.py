"""Staff who chose it are alerted once to what needs attention, by mail and webhook."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing.invoicing.services import bill_due_subscriptions, mark_paid
from billing.models import Invoice
from billing.subscriptions.reconcile import reconcile_orders
from core import clock
from core.engine.controller import controllers
from customers.mail_rendering import render_mail
from customers.models import Message, User
from infrastructure.models import DriftFinding, Observation, Provider
from live.alerts.conditions import current_conditions
from live.alerts.services import send_digests, update_alerts
from live.models import AlertChoice, AlertKind, StaffAlert
from monitoring.models import BackendStatus
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report, retry_order
from tests.driving import Drive, iter_runs
from tests.factories import CustomerFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

ABSENT: tuple[Any, ...] = (None, "", [])


def member(*kinds: str, permissions: tuple[str, ...] = (), **fields: Any) -> User:
    """Staff who chose `kinds`; a superuser unless there are `permissions`."""
    user: User = UserFactory(is_staff=True, is_superuser=not permissions, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    AlertChoice.objects.create(user=user, **dict.fromkeys(kinds, True))
    return user


def failed_order(**fields: Any) -> Order:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}, **fields))
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    return order


def active_order() -> None:
    active = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(active.pk, part, PartState.READY, version=1)
    reconcile_orders([active.pk])
    bill_due_subscriptions()


def staff_mail() -> Any:
    return Message.objects.filter(key__startswith="staff:").order_by("pk")


def every_kind() -> None:
    """One condition of each kind."""
    place_order(order=make_draft())
    failed_order()
    now, long_ago = clock.now(), clock.now() - timedelta(hours=1)
    cloud = Provider.objects.create(slug="cloud", name="Cloud", kind=Provider.Kind.SANDBOX)
    Observation.objects.create(provider=cloud, thing="servers", attempted_at=now, error="no route to host")
    Observation.objects.update(created_at=long_ago)
    BackendStatus.objects.create(backend="zabbix", failing_since=long_ago, last_error="time-out")
    DriftFinding.objects.create(
        kind="orphan", thing="server", provider=cloud, key="live-X", first_seen_at=now, last_seen_at=now
    )
    Message.objects.create(
        key="news:1", customer=CustomerFactory(), to=["a@example.org"], failed_version=1, last_error="550 unknown"
    )


def test_each_kind_of_condition_is_found_with_reason_next_step_and_page(drive: Drive, client: Client) -> None:
    every_kind()
    drive.settle(seconds=60)
    found = {condition.kind: condition for condition in current_conditions()}
    assert set(found) == set(AlertKind) - {AlertKind.INVOICE_OVERDUE}
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    for condition in found.values():
        assert condition.reason
        assert condition.next_step
        assert client.get(condition.path).status_code == 200


def test_overdue_invoice_is_an_alert_until_it_is_paid(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    active_order()
    drive.settle(seconds=60)
    monkeypatch.setattr("core.clock.today", lambda: drive.now.date() + timedelta(days=60))
    found = {condition.key: condition for condition in current_conditions() if "invoice" in condition.key}
    invoice = Invoice.objects.get()
    assert invoice.number in found[f"invoice:{invoice.pk}:overdue"].title
    mark_paid(invoice=invoice)
    assert AlertKind.INVOICE_OVERDUE not in [condition.kind for condition in current_conditions()]


def test_alert_is_mailed_once_to_staff_who_chose_its_kind() -> None:
    chooser = member("order_attention")
    member("drift_found")
    order = failed_order()
    assert update_alerts() == 1
    assert update_alerts() == 0
    mail = staff_mail().get()
    text = render_mail(mail)
    assert mail.to == [chooser.email]
    assert order.reference in text.subject
    for part in ("quota exceeded", "Try again", f"http://testserver/admin/orders/order/{order.pk}/change/"):
        assert part in text.text
        assert part in text.html


def test_alert_ends_with_its_cause_and_comes_again_with_it() -> None:
    member("order_attention")
    order = failed_order()
    update_alerts()
    retry_order(order=order)
    update_alerts()
    assert StaffAlert.objects.get().cleared_at is not None
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=Order.objects.get().wanted_version)
    update_alerts()
    assert staff_mail().count() == 2


def test_everything_new_in_a_minute_comes_in_one_mail() -> None:
    member("order_attention")
    for _ in range(30):
        failed_order()
    update_alerts()
    text = render_mail(staff_mail().get())
    assert "30 things need attention" in text.subject
    assert text.text.count("quota exceeded") == 25
    assert "And 5 more" in text.text


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}, {"is_staff": False}])
def test_nobody_is_mailed_who_is_not_active_staff_with_an_address(fields: dict[str, Any]) -> None:
    user = member("order_attention")
    User.objects.filter(pk=user.pk).update(**fields)
    failed_order()
    update_alerts()
    assert not staff_mail().exists()


def test_nobody_is_mailed_what_the_admin_would_not_show() -> None:
    member("order_attention", "order_approval", permissions=("view_invoice",))
    failed_order()
    update_alerts()
    assert StaffAlert.objects.exists()
    assert not staff_mail().exists()


def test_failed_mail_to_staff_raises_no_alert() -> None:
    member("order_attention", "mail_failed")
    failed_order()
    update_alerts()
    staff_mail().update(failed_version=1, last_error="550 unknown")
    assert update_alerts() == 0


def test_digest_comes_once_a_day_from_seven_with_what_is_open(drive: Drive) -> None:
    member("daily_digest")
    failed_order()
    update_alerts()
    drive.now = drive.now.replace(hour=3)
    assert send_digests() == 0
    drive.now = drive.now.replace(hour=12)
    send_digests()
    send_digests()
    assert "1 thing needs attention" in render_mail(staff_mail().get()).subject
    drive.now += timedelta(days=1)
    send_digests()
    assert staff_mail().count() == 2


def test_there_is_no_digest_of_nothing(drive: Drive) -> None:
    member("daily_digest")
    assert send_digests() == 0


def test_mail_to_staff_is_sent_by_the_mail_controller(drive: Drive, mailoutbox: list[Any]) -> None:
    user = member("order_attention")
    failed_order()
    update_alerts()
    iter_runs(next(controller for controller in controllers() if controller.name == "mail"))
    assert user.email in [address for mail in mailoutbox for address in mail.to]


def test_choices_are_made_on_the_page_of_a_member_of_staff(client: Client) -> None:
    boss = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(boss)
    url = f"/admin/customers/user/{boss.pk}/change/"
    page = client.get(url).context
    formsets = [inline.formset for inline in page["inline_admin_formsets"]]
    forms = [page["adminform"].form, *(each for formset in formsets for each in (formset.management_form, *formset))]
    fields = [field for form in forms for field in form]
    posted = {
        field.html_name: field.value()
        for field in fields
        if field.value() not in (None, "", []) and field.value() is not False
    }
    posted = {name: value for name, value in posted.items() if value is not False}
    posted |= {"alert_choice-0-drift_found": "on"}
    reply = client.post(url, posted)
    assert reply.status_code == 302, reply.context["errors"]
    assert AlertChoice.objects.get(user=boss).drift_found
    assert "alert_choice" not in client.get(f"/admin/customers/user/{UserFactory().pk}/change/").content.decode()
