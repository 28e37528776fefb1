"""Many rows inserted or updated in one statement, however many: their values travel as one JSON parameter.

`bulk_create` sends a parameter per value, and so, on SQLite, a statement for every few dozen rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def upsert(
    rows: Sequence[Model],
    *,
    unique: Collection[str],
    update: Collection[str],
    keep: Collection[str] = (),
    add: Collection[str] = (),
) -> None:
    """Rows that are there by their `unique` fields have these `update` fields; the others are made.

    Of the fields in `keep`, a value that is there is not replaced by none; those in `add` are summed up. Nothing is
    read back: rows get no ids.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    values = [[_value(field, row) for field in fields] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, fields, unique, update, keep, add), [json.dumps(values, default=str)])


def _value(field: Field[Any, Any], row: Model) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=True), connection)


def _statement(
    model: type[Model],
    fields: Sequence[Any],
    unique: Collection[str],
    update: Collection[str],
    keep: Collection[str],
    add: Collection[str],
) -> str:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = {field.name: quote(field.column) for field in fields}
    is_postgres = connection.vendor == "postgresql"
    source = "json_array_elements(%s::json) AS told(value)" if is_postgres else "json_each(%s) AS told"
    read = [
        f"(told.value->>{n})::{field.db_type(connection)}" if is_postgres else f"json_extract(told.value, '$[{n}]')"
        for n, field in enumerate(fields)
    ]
    changes = [f"{columns[name]} = EXCLUDED.{columns[name]}" for name in update]
    changes += [f"{columns[name]} = COALESCE(EXCLUDED.{columns[name]}, {table}.{columns[name]})" for name in keep]
    changes += [f"{columns[name]} = {table}.{columns[name]} + EXCLUDED.{columns[name]}" for name in add]
    # Names come from the model, values from the parameter. `WHERE true` tells SQLite where the SELECT ends.
    return (
        f"INSERT INTO {table} ({', '.join(columns.values())}) SELECT {', '.join(read)} FROM {source} WHERE true "  # noqa: S608
        f"ON CONFLICT ({', '.join(columns[name] for name in unique)}) DO UPDATE SET {', '.join(changes)}"
    )
