"""Orders with a subscription have agreed to its price, whatever their plan has become since."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery

COLUMNS = ("price", "setup_fee", "currency", "period")


def fill(apps: Any, schema_editor: Any) -> None:
    """In one statement, however many orders."""
    subscriptions = apps.get_model("billing", "Subscription").objects
    of_order = subscriptions.filter(order=OuterRef("pk"))
    orders = apps.get_model("orders", "Order").objects.filter(pk__in=subscriptions.values("order"))
    orders.update(**{f"agreed_{name}": Subquery(of_order.values(name)) for name in COLUMNS})


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0002_issued_is_issued"),
        ("orders", "0004_fill_agreed_terms"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
