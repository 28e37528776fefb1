"""Orders placed before agree to their plan as it is now."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery

COLUMNS = {
    "agreed_price": "price",
    "agreed_setup_fee": "setup_fee",
    "agreed_currency": "currency",
    "agreed_period": "period",
    "agreed_promise": "sla_promise",
    "agreed_credit": "sla_credit",
}


def fill(apps: Any, schema_editor: Any) -> None:
    """In one statement, however many orders."""
    plan = apps.get_model("products", "Plan").objects.filter(pk=OuterRef("plan"))
    placed = apps.get_model("orders", "Order").objects.filter(placed_at__isnull=False, agreed_price__isnull=True)
    placed.update(**{mine: Subquery(plan.values(theirs)) for mine, theirs in COLUMNS.items()})


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0003_agreed_terms"),
        ("products", "0006_grace"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
