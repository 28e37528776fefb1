"""What an order costs the database, from the moment it is placed until it runs and is invoiced."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.engine.controller import controllers
from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from orders.choices import State
from orders.services import place_order
from products.models import ReleaseBundle
from tests.driving import Drive
from tests.factories import make_draft

AT_MOST = 235  # with those that begin and end transactions


@pytest.mark.django_db(transaction=True)
def test_order_is_set_up_within_its_budget_of_statements(drive: Drive) -> None:
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider, build_seconds=0, launch_seconds=0)
    order = make_draft(sandbox=True, plan_fields={"auto_approve": True})
    ReleaseBundle.objects.create(release=order.release, archive=b"")
    with CaptureQueriesContext(connection) as statements:
        place_order(order=order)
    spent = len(statements)
    while due := [controller for controller in controllers() if controller.due_rows(drive.now)[0]]:
        with CaptureQueriesContext(connection) as statements:
            for controller in due:
                controller.run()
        spent += len(statements)
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert order.parts.count() == 5
    assert spent <= AT_MOST
