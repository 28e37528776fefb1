"""Indexes of PostgreSQL that find a text inside a column, as `icontains` asks for it; other databases have none.

https://www.postgresql.org/docs/current/pgtrgm.html: the extension is trusted, so the owner of a database may create it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import ProgrammingError, transaction

EXTENSION = "pg_trgm"
SUFFIX = "_trgm"


def ensure_trigrams(connection: Any) -> bool:
    """The extension is there; false where the database has none, or the user may not create it."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = %s", [EXTENSION])
        if cursor.fetchone():
            return True
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
        except ProgrammingError:
            return False
    return True


def create_text_indexes(connection: Any, table: str, columns: Iterable[str]) -> bool:
    """Each column has its index; false where that is not possible: searching is slower then, and nothing else."""
    if not ensure_trigrams(connection):
        return False
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for column in columns:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {quote(index_name(table, column))} ON {quote(table)} "
                f"USING gin (UPPER({quote(column)}::text) gin_trgm_ops)"
            )
    return True


def drop_text_indexes(connection: Any, table: str, columns: Iterable[str]) -> None:
    """The indexes are gone; the extension stays, as others may use it."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for column in columns:
            cursor.execute(f"DROP INDEX IF EXISTS {connection.ops.quote_name(index_name(table, column))}")


def index_name(table: str, column: str) -> str:
    """What the index of a column is called."""
    return f"{table}_{column}{SUFFIX}"
