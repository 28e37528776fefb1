"""What a draft may be called, and who is first when two want the same name."""

from __future__ import annotations

import pytest

from orders.models import Order
from orders.services import NameTaken, create_order, edit_order
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def _both_look_before_either_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look at the names finds nothing, as it does for two requests at the same moment."""
    monkeypatch.setattr("orders.services._check_name_free", lambda customer, name: None)


@pytest.mark.usefixtures("_both_look_before_either_writes")
def test_second_of_two_orders_of_one_name_is_refused() -> None:
    first = make_draft(name="maps")
    with pytest.raises(NameTaken):
        create_order(customer=first.customer, plan=first.plan, release=first.release, name="maps")
    assert Order.objects.get() == first


@pytest.mark.usefixtures("_both_look_before_either_writes")
def test_second_of_two_drafts_renamed_alike_is_refused() -> None:
    first = make_draft(name="maps")
    other = make_draft(name="other", customer=first.customer)
    with pytest.raises(NameTaken):
        edit_order(order=other, name="maps", inputs={})
    other.refresh_from_db()
    assert other.name == "other"
