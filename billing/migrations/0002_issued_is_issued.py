"""The database refuses to change or delete what was issued; only payment is recorded.

SQLite drops the triggers of a table that it remakes: a later migration that alters these tables has to set them again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

FROZEN = {
    "billing_invoice": (
        "number", "customer_id", "order_id", "subscription_id", "period_start", "period_end", "issued_on", "due_on",
        "language", "currency", "seller", "buyer", "payment", "net", "tax", "gross", "breakdown", "is_specimen",
    ),
    "billing_invoiceline": (
        "invoice_id", "position", "description", "detail", "quantity", "unit_price", "net", "vat_category", "vat_rate",
        "period_start", "period_end",
    ),
}  # fmt: skip
MESSAGE = "An issued invoice never changes"


def freeze_statements(vendor: str) -> list[str]:
    """What sets the triggers on a database of that vendor."""
    return [statement for table, columns in FROZEN.items() for statement in _freeze(vendor, table, columns)]


def thaw_statements(vendor: str) -> list[str]:
    """What takes them away again."""
    return [statement for table in FROZEN for statement in _thaw(vendor, table)]


def _freeze(vendor: str, table: str, columns: tuple[str, ...]) -> list[str]:
    if vendor == "sqlite":
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        return [
            f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} FOR EACH ROW WHEN {changed} {refuse}",
            f"CREATE TRIGGER {table}_never_goes BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
        ]
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    function = f"{table}_never_changes()"
    return [
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) "
        f"EXECUTE FUNCTION {function}",
        f"CREATE TRIGGER {table}_never_goes BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}",
    ]


def _thaw(vendor: str, table: str) -> list[str]:
    if vendor == "sqlite":
        return [f"DROP TRIGGER {table}_never_changes", f"DROP TRIGGER {table}_never_goes"]
    return [
        f"DROP TRIGGER {table}_never_changes ON {table}",
        f"DROP TRIGGER {table}_never_goes ON {table}",
        f"DROP FUNCTION {table}_never_changes()",
    ]


def set_triggers(apps: Any, schema_editor: Any) -> None:
    """From now on nothing that was issued can change."""
    for statement in freeze_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    """What was issued is only protected by our own code."""
    for statement in thaw_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_start")]
    operations = [migrations.RunPython(set_triggers, drop_triggers)]
