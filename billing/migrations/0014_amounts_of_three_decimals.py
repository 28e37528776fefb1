"""Amounts of three decimals: dinars and rials have a thousand parts (ISO 4217).

PostgreSQL rewrites the tables. SQLite keeps what it is given, and would drop the triggers of a table that it remakes.
"""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from typing import Any

from django.db import migrations

from core.fields import MoneyField

FROZEN = import_module("billing.migrations.0007_issued_stays_issued").FROZEN
COLUMNS = {
    "billing_banktransaction": {"amount": 14},
    "billing_directdebit": {"amount": 14},
    "billing_invoice": {"gross": 14, "net": 14, "settled": 14, "tax": 14},
    "billing_invoiceline": {"net": 14},
    "billing_payment": {"amount": 14, "used": 14},
    "billing_pendingcharge": {"amount": 12},
    "billing_pricechange": {"price": 12},
    "billing_settlement": {"amount": 14},
    "billing_subscription": {"price": 12, "setup_fee": 12},
    "billing_whmcsinvoice": {"net": 14},
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
    """The columns have these types on PostgreSQL, where a trigger that reads them has to step aside."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, columns in types.items():
        changes = ", ".join(f"ALTER COLUMN {column} TYPE {kind}" for column, kind in columns.items())
        frozen = FROZEN.get(table, ())
        if frozen:
            schema_editor.execute(f"DROP TRIGGER {table}_never_changes ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} {changes}")
        if frozen:
            changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in frozen)
            schema_editor.execute(
                f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) "
                f"EXECUTE FUNCTION {table}_never_changes()"
            )


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_text_indexes")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, narrow)],
            state_operations=[
                migrations.AlterField("banktransaction", "amount", MoneyField(decimal_places=3, max_digits=15, verbose_name="amount")),
                migrations.AlterField("directdebit", "amount", MoneyField(decimal_places=3, max_digits=15, verbose_name="amount")),
                migrations.AlterField("invoice", "gross", MoneyField(decimal_places=3, max_digits=15, verbose_name="total")),
                migrations.AlterField("invoice", "net", MoneyField(decimal_places=3, max_digits=15, verbose_name="excl. VAT")),
                migrations.AlterField("invoice", "settled", MoneyField(decimal_places=3, max_digits=15, verbose_name="settled", default=Decimal(0))),
                migrations.AlterField("invoice", "tax", MoneyField(decimal_places=3, max_digits=15, verbose_name="VAT")),
                migrations.AlterField("invoiceline", "net", MoneyField(decimal_places=3, max_digits=15, verbose_name="amount")),
                migrations.AlterField("payment", "amount", MoneyField(decimal_places=3, max_digits=15, verbose_name="amount")),
                migrations.AlterField("payment", "used", MoneyField(decimal_places=3, max_digits=15, verbose_name="used", default=Decimal(0))),
                migrations.AlterField("pendingcharge", "amount", MoneyField(decimal_places=3, max_digits=15, verbose_name="amount")),
                migrations.AlterField("pricechange", "price", MoneyField(decimal_places=3, max_digits=15, verbose_name="price")),
                migrations.AlterField("settlement", "amount", MoneyField(decimal_places=3, max_digits=15, verbose_name="amount")),
                migrations.AlterField("subscription", "price", MoneyField(decimal_places=3, max_digits=15, verbose_name="price")),
                migrations.AlterField("subscription", "setup_fee", MoneyField(decimal_places=3, max_digits=15, verbose_name="set-up fee")),
                migrations.AlterField("whmcsinvoice", "net", MoneyField(decimal_places=3, max_digits=15, verbose_name="excl. VAT")),
            ],
        ),
    ]
