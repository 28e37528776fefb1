"""What customers have read of parts that are there stays theirs to read; what is on its way is told anew."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F


def fill(apps: Any, schema_editor: Any) -> None:
    """In one statement, however many orders."""
    parts = apps.get_model("orders", "OrderPart").objects.exclude(state__in=("working", "failed", "down", "resting"))
    parts.update(told=F("message"))


class Migration(migrations.Migration):

    dependencies = [("orders", "0005_told_to_customers")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
