"""Staff and customers see which mail came back, and what to do about it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from customers.bounces.services import record_report, stopped_among
from customers.choices import Role
from customers.models import Customer, MailAddress, User
from live.alerts.conditions import current_conditions
from tests.customers.bounces.conftest import GONE, Write
from tests.customers.bounces.reports import report_about
from tests.factories import MembershipFactory, UserFactory
from tests.portal.test_sign_in import code_in_the_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(customer: Customer) -> User:
    user: User = UserFactory(email=GONE)
    MembershipFactory(user=user, customer=customer, role=Role.OWNER)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff() -> Client:
    return browser(UserFactory(is_staff=True, is_superuser=True))


def come_back(write: Write, times: int) -> None:
    for _ in range(times):
        record_report(report_about(write()))


def test_message_in_the_admin_names_the_address_and_the_reason(write: Write) -> None:
    message = write()
    message.sent_at = message.created_at
    message.save()
    record_report(report_about(message))
    page = staff().get(reverse("admin:customers_message_change", args=(message.pk,))).content.decode()
    assert "No such user" in page
    assert "Came back" in page
    listed = staff().get(reverse("admin:customers_message_changelist"), {"bounced": "yes"}).content.decode()
    assert "Ready" in listed


def test_staff_see_stopped_addresses_and_send_mail_to_them_again(write: Write) -> None:
    come_back(write, 3)
    client, url = staff(), reverse("admin:customers_mailaddress_changelist")
    assert GONE in client.get(url, {"mail": "stopped"}).content.decode()
    assert GONE not in client.get(url, {"mail": "sent"}).content.decode()
    row = MailAddress.objects.get()
    page = client.get(reverse("admin:customers_mailaddress_change", args=(row.pk,))).content.decode()
    assert page.count("No such user") == 3
    action = {"action": "send_mail_again", "_selected_action": [row.pk]}
    assert "Make sure that these addresses work" in client.post(url, action).content.decode()
    assert stopped_among([GONE]) == {GONE}
    client.post(url, {**action, "confirmed": "yes"})
    assert stopped_among([GONE]) == set()


def test_stopped_address_is_an_alert_until_it_is_confirmed(write: Write) -> None:
    come_back(write, 2)
    assert [found.title for found in current_conditions()] == []
    come_back(write, 1)
    assert [found.title for found in current_conditions()] == [GONE]
    MailAddress.objects.update(stopped_at=None)
    assert current_conditions() == []


def test_team_page_says_whose_mail_does_not_arrive(write: Write, customer: Customer, member: User) -> None:
    url = reverse("portal:team", args=(customer.number,))
    assert "does not arrive" not in browser(member).get(url).content.decode()
    come_back(write, 1)
    page = browser(member).get(url).content.decode()
    assert "E-mail that does not arrive" in page
    assert "Check that it is right." in page
    come_back(write, 2)
    assert "so we stopped sending it" in browser(member).get(url).content.decode()


def test_team_page_of_another_customer_says_nothing_of_it(write: Write) -> None:
    come_back(write, 3)
    stranger = MembershipFactory(role=Role.OWNER)
    page = browser(stranger.user).get(reverse("portal:team", args=(stranger.customer.number,))).content.decode()
    assert GONE not in page


def test_notification_says_that_it_came_back(write: Write, member: User) -> None:
    message = write()
    record_report(report_about(message))
    assert "Came back" in browser(member).get(reverse("portal:notifications")).content.decode()
    page = browser(member).get(reverse("portal:notification", args=(message.pk,))).content.decode()
    assert "Came back: this address does not work." in page


def test_signing_in_by_a_code_confirms_the_address(write: Write, member: User) -> None:
    come_back(write, 3)
    client = Client()
    client.post("/account/login/", {"email": GONE})
    assert stopped_among([GONE]) == {GONE}
    client.post("/account/login/code/", {"code": code_in_the_mail()})
    assert stopped_among([GONE]) == set()
