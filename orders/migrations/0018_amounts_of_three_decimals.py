"""Amounts of three decimals: dinars and rials have a thousand parts (ISO 4217).

PostgreSQL rewrites the table; SQLite keeps what it is given.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from core.fields import MoneyField

COLUMNS = {
    "orders_order": {"agreed_price": 12, "agreed_setup_fee": 12},
}


def widen(apps: Any, schema_editor: Any) -> None:
    """Every amount has room for a third decimal."""
    retype(schema_editor, {table: dict.fromkeys(columns, "numeric(15, 3)") for table, columns in COLUMNS.items()})


def narrow(apps: Any, schema_editor: Any) -> None:
    """Amounts have two decimals; third ones are rounded."""
    types = {
        table: {column: f"numeric({digits}, 2)" for column, digits in columns.items()}
        for table, columns in COLUMNS.items()
    }
    retype(schema_editor, types)


def retype(schema_editor: Any, types: dict[str, dict[str, str]]) -> None:
    """The columns have these types on PostgreSQL."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, columns in types.items():
        changes = ", ".join(f"ALTER COLUMN {column} TYPE {kind}" for column, kind in columns.items())
        schema_editor.execute(f"ALTER TABLE {table} {changes}")


class Migration(migrations.Migration):
    dependencies = [("orders", "0017_text_indexes")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, narrow)],
            state_operations=[
                migrations.AlterField("order", "agreed_price", MoneyField(decimal_places=3, max_digits=15, verbose_name="agreed price", editable=False, null=True)),
                migrations.AlterField("order", "agreed_setup_fee", MoneyField(decimal_places=3, max_digits=15, verbose_name="agreed set-up fee", editable=False, null=True)),
            ],
        ),
    ]
