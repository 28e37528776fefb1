"""An order from draft to removed, as the rooms above would report it."""

from __future__ import annotations

import pytest

from customers.models import Message
from orders.choices import Part, PartState, State
from orders.services import approve_order, place_order, remove_order, report, resume_order, retry_order, suspend_order
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


def test_order_becomes_active_once_its_endpoints_answer() -> None:
    order = make_draft()
    assert order.state == State.DRAFT
    assert place_order(order=order).state == State.PENDING
    assert approve_order(order=order).state == State.PROVISIONING
    for part in (Part.SERVER, Part.COMPOSITION):
        report(order.pk, part, PartState.READY, "there", version=1)
        order.refresh_from_db()
        assert order.state == State.PROVISIONING
    report(order.pk, Part.ENDPOINTS, PartState.READY, "1 of 1 answers", version=1)
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.ACTIVE, "Running; monitoring pending.")
    assert order.activated_at is not None
    assert [m.key.split(":")[2] for m in Message.objects.order_by("pk")] == ["pending", "active"]


def test_failed_part_asks_for_a_person_and_goes_on_after_a_retry() -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    order.refresh_from_db()
    assert (order.state, order.needs_attention, order.reason) == (State.ATTENTION, True, "Server: quota exceeded")
    order = retry_order(order=order)
    assert (order.state, order.wanted_version, order.needs_attention) == (State.PROVISIONING, 2, False)


def test_news_of_an_older_wish_changes_nothing() -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    order = remove_order(order=order)
    report(order.pk, Part.SERVER, PartState.READY, "late", version=1)
    order.refresh_from_db()
    assert order.state == State.REMOVED
    assert not order.parts.exists()


def test_suspension_and_resumption_are_told_once_each() -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=1)
    order.refresh_from_db()
    suspend_order(order=order)
    report(order.pk, Part.COMPOSITION, PartState.SUSPENDED, version=2)
    order.refresh_from_db()
    assert order.state == State.SUSPENDED
    resume_order(order=order)
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=3)
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert [m.key.split(":")[2] for m in Message.objects.order_by("pk")] == ["active", "suspended", "resumed"]
