"""The outside's own words are for staff; customers read that we wait, or try again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from core.engine.outcome import Outcome, done, failed, outcome_of, retry
from core.errors import TransientError
from infrastructure.models import Provider, Server
from infrastructure.provisioning.tasks import part_report
from orders.choices import Part
from orders.models import Order, OrderPart
from orders.services import place_order, report_many
from tests.factories import MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

RAW = "HTTPConnectionPool(host='10.0.0.7', port=8774): Max retries exceeded"
WAITING = "Not ready yet; retrying automatically."


@pytest.fixture
def order() -> Order:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    provider = Provider.objects.create(slug="cloud", kind="libcloud", driver="ec2", name="Cloud")
    Server.objects.update_or_create(order=order, defaults={"provider": provider, "wanted_version": 1})
    return Order.objects.get(pk=order.pk)


def tell(order: Order, outcome: Outcome) -> None:
    """The server's controller has come to this end."""
    report_many([part_report(Part.SERVER, order.server, outcome)])
    order.refresh_from_db()


def seen_by(order: Order, client: Client) -> str:
    """Everything that is shown of the order."""
    addresses = (
        f"/orders/{order.reference}/",
        f"/api/v1/orders/{order.reference}/",
        f"/api/v1/orders/{order.reference}/timeline/",
        f"/api/v1/servers/?order={order.reference}",
    )
    answers = [client.get(address) for address in addresses]
    assert [address.status_code for address in answers] == [200] * len(addresses)
    return "".join(address.content.decode() for address in answers)


def customer(order: Order, client: Client) -> str:
    """The same, to a member of the customer."""
    client.force_login(MembershipFactory(customer=order.customer).user)
    return seen_by(order, client)


def staff(order: Order, client: Client) -> str:
    """The admin's page of the order."""
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client.get(reverse("admin:orders_order_change", args=(order.pk,))).content.decode()


@pytest.mark.parametrize("outcome", [outcome_of(TransientError(RAW)), retry(f"Server i-1 does not let us in: {RAW}")])
def test_what_is_tried_again_is_said_in_our_words(order: Order, client: Client, outcome: Outcome) -> None:
    OrderPart.objects.filter(order=order).delete()
    tell(order, outcome)
    assert "Max retries" in order.reason
    assert "Max retries" in staff(order, client)
    page = customer(order, client)
    assert "Max retries" not in page
    assert "10.0.0.7" not in page
    assert WAITING in page
    assert order.events.filter(message__contains="Max retries").get().is_public is False


def test_state_that_follows_says_nothing_of_it_either(order: Order, client: Client) -> None:
    tell(order, failed(RAW))
    assert order.state == "attention"
    tell(order, retry(RAW))
    assert order.state == "provisioning"
    page = customer(order, client)
    assert "Max retries" not in page
    assert "Our staff have been notified." not in page


def test_what_failed_for_good_is_for_staff(order: Order, client: Client) -> None:
    tell(order, failed(RAW))
    assert "Max retries" in staff(order, client)
    page = customer(order, client)
    assert "Max retries" not in page
    assert "Our staff have been notified." in page


def test_what_is_done_is_for_everybody_unless_something_else_is_said(order: Order, client: Client) -> None:
    tell(order, done("Server i-1 runs."))
    assert "Server i-1 runs." in customer(order, client)
    tell(order, replace(done(f"Could not be reached ({RAW})."), customer_message="Removed with its server."))
    assert OrderPart.objects.get(order=order, part="server").customer_message == "Removed with its server."
    assert "Max retries" not in customer(order, client)


@pytest.mark.parametrize(
    ("wanted", "waits", "tried_again"),
    [
        ("running", "Being set up; this can take a few minutes.", WAITING),
        ("suspended", "Being stopped.", "Not stopped yet; retrying automatically."),
        ("removed", "Being removed.", "Not removed yet; retrying automatically."),
    ],
)
def test_what_only_takes_its_time_is_not_said_to_be_tried_again(
    order: Order, wanted: str, waits: str, tried_again: str
) -> None:
    order.server.wanted = wanted
    booting = retry("Server i-1 is being set up: docker", retry_in=timedelta(seconds=10))
    assert part_report(Part.SERVER, order.server, booting).customer_message == waits
    assert part_report(Part.SERVER, order.server, outcome_of(TransientError(RAW))).customer_message == tried_again
    kept = replace(booting, customer_message="Pulling images.")
    assert part_report(Part.SERVER, order.server, kept).customer_message == "Pulling images."
