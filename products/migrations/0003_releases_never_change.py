"""The database refuses to change what a release says.

SQLite drops the triggers of a table that it remakes: a later migration that alters these tables has to set them again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

FROZEN = {
    "products_release": ("product_id", "version", "digest", "manifest", "compose"),
    "products_releasebundle": ("release_id", "archive"),
}
MESSAGE = "A release never changes"


def _statements(vendor: str, table: str, columns: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """How the table is frozen, and how it is thawed."""
    name = f"{table}_never_changes"
    if vendor == "sqlite":
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
        freeze = (
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN {changed} "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
        return [freeze], [f"DROP TRIGGER {name}"]
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    function = (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    trigger = f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {name}()"
    return [function, trigger], [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]


def _freeze(apps: Any, schema_editor: Any) -> None:
    for table, columns in FROZEN.items():
        for statement in _statements(schema_editor.connection.vendor, table, columns)[0]:
            schema_editor.execute(statement)


def _thaw(apps: Any, schema_editor: Any) -> None:
    for table, columns in FROZEN.items():
        for statement in _statements(schema_editor.connection.vendor, table, columns)[1]:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("products", "0002_present_release_and_readings")]
    operations = [migrations.RunPython(_freeze, _thaw)]
