"""Callers with tokens, and an order to call about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from billing.invoicing.issuing import issue_invoices
from billing.models import Payment, Subscription
from core import clock
from customers.models import ApiToken, Customer, Membership, User
from customers.webhooks.services import create_webhook
from infrastructure.models import Deployment, Endpoint, Provider, Server, Service
from monitoring.models import Incident, IncidentOrder, Monitor, MonitorCheck
from orders.models import Order
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft

BILLING = ("billing.view_subscription", "billing.view_invoice", "billing.view_payment")
Caller = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def _fresh_throttles() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def calling() -> Caller:
    """A program that calls with a token of the user's."""

    def make(user: User) -> APIClient:
        _, token = ApiToken.objects.create(user=user, name="a program")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return make


def make_staff(*permissions: str) -> User:
    """A member of staff who holds `permissions`, written `app.codename`."""
    user: User = UserFactory(is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.fixture
def customer(db: None) -> Customer:
    """A customer with an owner, a viewer and nothing else."""
    row: Customer = CustomerFactory(name="Waterschap Vallei")
    return row


@pytest.fixture
def owner(customer: Customer, calling: Caller) -> APIClient:
    """The customer's owner."""
    return calling(MembershipFactory(customer=customer).user)


@pytest.fixture
def viewer(customer: Customer, calling: Caller) -> APIClient:
    """Someone at the customer who may only look."""
    return calling(MembershipFactory(customer=customer, role=Membership.Role.READ_ONLY).user)


@pytest.fixture
def stranger(db: None, calling: Caller) -> APIClient:
    """The owner of another customer."""
    return calling(MembershipFactory(customer__name="Somebody else").user)


@pytest.fixture
def operator(db: None, calling: Caller) -> APIClient:
    """Staff who may do everything with orders."""
    others = ("customers.view_customer", "customers.view_webhook", "products.view_product", *BILLING)
    names = ("view_order", "view_orderevent", "add_order", "approve_order", "steer_order", "remove_order")
    names += ("view_fleetupgrade", "steer_fleetupgrade")
    return calling(make_staff(*(f"orders.{name}" for name in names), *others))


@pytest.fixture
def draft(customer: Customer) -> Order:
    """The customer's draft."""
    return make_draft(customer=customer, name="maps of the valley")


def furnish(order: Order) -> Order:
    """The order has a row in every room that the API shows."""
    provider, _ = Provider.objects.get_or_create(slug="rehearsal", name="Rehearsal", kind=Provider.Kind.SANDBOX)
    server = Server.objects.create(
        order=order, provider=provider, address="10.0.0.7", size="2 CPUs", last_error="node 4711 is slow"
    )
    deployment = Deployment.objects.create(order=order, server=server, release=order.release)
    Service.objects.create(deployment=deployment, name="gateway", state="running", seen_at=timezone.now())
    endpoint = Endpoint.objects.create(
        order=order,
        deployment=deployment,
        name="wms",
        application="Web Map Service",
        url=f"http://maps.example/{order.reference}/wms",
        check_url="http://maps.example/wms?secret-check",
    )
    monitor = Monitor.objects.create(order=order, state="up", read_error="host 4711 is slow")
    MonitorCheck.objects.create(monitor=monitor, endpoint=endpoint, state="up")
    subscription = Subscription.objects.create(
        order=order,
        customer=order.customer,
        description="Map server · Small",
        detail=order.name,
        price=order.plan.price,
        setup_fee=order.plan.setup_fee,
        currency="EUR",
        period="month",
        started_on=clock.today(),
        next_invoice_on=clock.today(),
    )
    issue_invoices([subscription], today=clock.today())
    Payment.objects.create(customer=order.customer, amount=Decimal(5), currency="EUR", received_on=clock.today())
    create_webhook(name="their register", url="https://register.example/", customer=order.customer)
    incident = Incident.objects.create(title="Maps are slow", started_at=timezone.now(), is_by_hand=True)
    IncidentOrder.objects.create(incident=incident, order=order)
    return order


@pytest.fixture
def order(draft: Order) -> Order:
    """The customer's order with a row in every room."""
    return furnish(draft)
