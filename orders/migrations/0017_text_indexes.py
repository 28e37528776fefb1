"""What people search for by a part of it has an index that finds it, on PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from core.text.trigrams import create_text_indexes, drop_text_indexes

TABLE = "orders_order"
COLUMNS = ("reference", "name")


def create(apps: Any, schema_editor: Any) -> None:
    """The indexes, where the database can have them."""
    create_text_indexes(schema_editor.connection, TABLE, COLUMNS)


def drop(apps: Any, schema_editor: Any) -> None:
    """No such index."""
    drop_text_indexes(schema_editor.connection, TABLE, COLUMNS)


class Migration(migrations.Migration):
    dependencies = (("orders", "0016_scheduled_removal"),)
    operations = (migrations.RunPython(create, drop),)
