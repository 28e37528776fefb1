"""A dump of the whole database as a file, and back; by PostgreSQL's own programs, or SQLite's own copy."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.db import connection

from core.errors import ConfigError, PermanentError
from core.text.trigrams import SUFFIX, ensure_trigrams


def dump_database(target: Path) -> None:
    """`target` holds the database of one moment; readers and writers are not held up."""
    if connection.vendor == "postgresql":
        _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(target)])
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(target)])


def load_database(source: Path) -> None:
    """The database is what `source` holds, or, when that could not be done, as it was before."""
    if connection.vendor == "postgresql":
        options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
        database = str(connection.settings_dict["NAME"])
        with NamedTemporaryFile("w", suffix=".list") as contents:
            contents.write(_restorable(_run(["pg_restore", "--list", str(source)]), ensure_trigrams(connection)))
            contents.flush()
            _run(["pg_restore", *options, "--use-list", contents.name, "--dbname", database, str(source)])
        return
    connection.ensure_connection()
    with closing(sqlite3.connect(source)) as dump:
        dump.backup(connection.connection)


def has_tables() -> bool:
    """True when the database holds anything of Geocat Live."""
    return "django_migrations" in connection.introspection.table_names()


def _restorable(contents: str, has_trigrams: bool) -> str:
    """A dump's table of contents without the extension, which may belong to another user and stays as it is.

    Where there is none, without its indexes too.
    """
    lines = [line for line in contents.splitlines() if " EXTENSION " not in line]
    kept = lines if has_trigrams else [line for line in lines if not re.search(rf" INDEX .*{SUFFIX} ", line)]
    return "\n".join(kept) + "\n"


def _run(command: Sequence[str]) -> str:
    """What the program printed."""
    program = shutil.which(command[0])
    if program is None:
        raise ConfigError(f"{command[0]} is not installed: it comes with Debian's package postgresql-client")
    database = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {variable: str(database[name]) for variable, name in names.items() if database.get(name)}
    ran = subprocess.run(  # noqa: S603  (the program is fixed, and its arguments are ours)
        [program, *command[1:]], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise PermanentError(f"{command[0]} failed: {ran.stderr.strip()[-2000:]}")
    return ran.stdout
