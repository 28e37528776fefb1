"""The demonstration that stays shows a whole company."""

from __future__ import annotations

import pytest

from billing.models import Invoice
from core import clock
from customers.models import Customer
from live.demo.cast import assemble
from live.demo.company import complete_company, found_company
from monitoring.models import DailyAvailability, Incident, MonthlyReport
from orders.choices import State
from orders.models import Order
from products.models import ReleaseBundle
from tests.driving import Drive
from tests.factories import PlanFactory, ProductFactory, ReleaseFactory

pytestmark = pytest.mark.django_db


def test_company_has_orders_in_every_state_invoices_an_incident_and_history(drive: Drive) -> None:
    product = ProductFactory(slug="sdi-lite")
    ReleaseBundle.objects.create(release=ReleaseFactory(product=product), archive=b"")
    PlanFactory(product=product, auto_approve=True)
    PlanFactory(product=product, slug="large", price=99)
    cast = assemble()
    company = found_company(cast)
    if company is None:
        pytest.fail("it was there before")
    drive.settle(seconds=60)
    for order in company.awaited:
        order.refresh_from_db()
        assert order.state == State.ACTIVE, order.reason
    complete_company(cast, company)
    drive.settle(seconds=60)
    states = set(Order.objects.values_list("state", flat=True))
    assert states >= {State.DRAFT, State.PENDING, State.ACTIVE, State.SUSPENDED, State.REMOVED, State.ATTENTION}
    assert Customer.objects.count() == 7
    assert Invoice.objects.owed().count() == 2
    assert Invoice.objects.overdue(clock.today()).count() == 1
    assert Incident.objects.count() == 1
    assert all(DailyAvailability.objects.filter(order=order).count() >= 60 for order in company.active)
    assert MonthlyReport.objects.filter(order__in=company.active).exists()
    assert found_company(cast) is None
