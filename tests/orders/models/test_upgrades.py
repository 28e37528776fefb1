"""While an upgrade runs, workers of the version before write rows without the columns that they do not know."""

from __future__ import annotations

import pytest
from django.db import connection, models

from orders.choices import Part, PartState
from orders.models import Order, OrderPart
from tests.factories import make_draft

UNKNOWN = {OrderPart: {"customer_message"}, Order: {"agreed_currency", "agreed_period"}}


def copy_without(row: models.Model, unknown: set[str], **other: object) -> None:
    """A row like this one, written as a version that does not know these columns would."""
    values = {
        field.attname: other.get(field.name, field.get_db_prep_save(getattr(row, field.attname), connection))
        for field in row._meta.local_concrete_fields
        if not field.primary_key and field.name not in unknown
    }
    columns = ", ".join(connection.ops.quote_name(name) for name in values)
    table = connection.ops.quote_name(row._meta.db_table)
    with connection.cursor() as cursor:
        marks = ", ".join("%s" for _ in values)
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))  # noqa: S608  (ours)


@pytest.mark.django_db
def test_the_database_fills_what_a_former_version_does_not_write() -> None:
    order = make_draft()
    part = OrderPart.objects.create(
        order=order, part=Part.SERVER, state=PartState.WORKING, version=1, customer_message="Soon."
    )
    copy_without(part, UNKNOWN[OrderPart], part=Part.MONITORING.value)
    copy_without(order, UNKNOWN[Order], reference="GLOLDR", name="Former")
    assert OrderPart.objects.get(part=Part.MONITORING).customer_message == ""
    written = Order.objects.get(reference="GLOLDR")
    assert (written.agreed_currency, written.agreed_period) == ("", "")
