"""What people search for by a part of it has an index that finds it, on PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from core.text.trigrams import create_text_indexes, drop_text_indexes

TABLE = "customers_customer"
COLUMNS = ("number", "name", "email")


def create(apps: Any, schema_editor: Any) -> None:
    """The indexes, where the database can have them."""
    create_text_indexes(schema_editor.connection, TABLE, COLUMNS)


def drop(apps: Any, schema_editor: Any) -> None:
    """No such index."""
    drop_text_indexes(schema_editor.connection, TABLE, COLUMNS)


class Migration(migrations.Migration):
    dependencies = (("customers", "0021_kinds_of_earlier_mail"),)
    operations = (migrations.RunPython(create, drop),)
