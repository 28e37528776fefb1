"""A migrated SQLite database that test runs begin with, instead of migrating an empty one each time.

The file is named by the digest of every migration and of Django's version, so that a change of either makes it anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import django
from django.apps import apps

FOLDER = Path(tempfile.gettempdir()) / f"geocat-live-tests-{os.getuid()}"
KEPT = 10


def template_path() -> Path:
    """Where the migrated database of this state of the code is kept."""
    digest = hashlib.sha256(django.get_version().encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for file in sorted(Path(app.path).glob("migrations/*.py")):
            digest.update(file.read_bytes())
        for model in app.get_models():  # their names and permissions are rows too
            digest.update(f"{model._meta.label} {model._meta.permissions} {model._meta.verbose_name!s}".encode())
    return FOLDER / f"{digest.hexdigest()[:32]}.sqlite3"


def load_template(connection: Any) -> bool:
    """The database behind `connection` is a copy of the template; false where there is none yet."""
    path = template_path()
    if not path.exists():
        return False
    with sqlite3.connect(path) as source:
        connection.connection.execute("PRAGMA foreign_keys=OFF")
        source.backup(connection.connection)
        connection.connection.execute("PRAGMA foreign_keys=ON")
    source.close()
    return True


def begin_migrated(file: Path) -> None:
    """Whatever begins on the database `file` finds nothing to migrate, where this run of the tests has a template."""
    template = template_path()
    if template.exists():
        shutil.copyfile(template, file)


def save_template(connection: Any) -> None:
    """The database behind `connection` is the template of later runs; the last of several writers wins."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    path = template_path()
    newest_first = sorted(FOLDER.glob("*.sqlite3"), key=lambda file: file.stat().st_mtime, reverse=True)
    for former in newest_first[KEPT:]:
        former.unlink(missing_ok=True)
    half_written = path.with_suffix(f".{os.getpid()}")
    with sqlite3.connect(half_written) as target:
        connection.connection.backup(target)
    target.close()
    half_written.replace(path)
