"""The stage of a run: a database, a mail server, a site and two workers of its own."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import environ
import pytest
from django.conf import LazySettings
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from live.demo.cast import SELLER
from live.demo.company import seller_settings
from tests.chaos.database import Database, free_port, programs
from tests.chaos.faults import Faults
from tests.chaos.machines import RUN, Machine, processes_of, signal_all
from tests.chaos.mail_server import MailServer, mail_server
from tests.chaos.outside.stage import enter_parts

TASK_SECONDS = 20  # no task takes longer, so no lease does
WRONG_CLOCKS = {"worker-0": 170, "worker-1": -130}  # seconds by which the clock of a machine is ahead


@pytest.fixture
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    """A PostgreSQL server, which the ORM of the test works on as well."""
    if (bin_folder := programs()) is None:
        pytest.fail("PostgreSQL's server is missing; Debian's package is postgresql")
    with ExitStack() as stack:
        server = Database(bin_folder)
        stack.callback(server.drop)
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(default_connection_to(server.url))
        yield server


@contextmanager
def default_connection_to(url: str) -> Iterator[None]:
    """The ORM of this process works on another database, whatever the settings say."""
    before, settings_before = connections["default"], connections.settings["default"]
    own = connections.configure_settings({"default": environ.Env.db_url_config(url)})["default"]
    connections.settings["default"] = own
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"], connections["default"] = settings_before, before


@pytest.fixture
def faults(database: Database, settings: LazySettings, tmp_path: Path, socket_enabled: None) -> Iterator[Faults]:
    """Two workers and a site are up, and everything that they need can be made to fail."""
    settings.TASK_TIMEOUT = TASK_SECONDS
    with mail_server() as mail, ExitStack() as machines:
        site_port = free_port()
        settings.SITE_URL = f"http://127.0.0.1:{site_port}"
        for name, value in seller_settings().items():  # what is asked for here may issue an invoice here
            setattr(settings, name, value)
        run = secrets.token_hex(8)
        environment = {**_environment(database, mail, settings, tmp_path), RUN: run}
        outside = enter_parts(machines, tmp_path)
        for part in outside.values():
            environment |= part.environment
            for name, value in part.settings.items():
                setattr(settings, name, value)
        machines.callback(lambda: signal_all(processes_of(run), signal.SIGKILL))  # before the parts are cleared
        subprocess.run([sys.executable, "manage.py", "setup"], check=True, env=environment, cwd=settings.BASE_DIR)
        for part in outside.values():
            part.set_up()
        gunicorn = ["gunicorn", "live.wsgi", f"--bind=127.0.0.1:{site_port}", "--threads=4", "--log-level=warning"]
        site = Machine("site", [sys.executable, "-m", *gunicorn], environment, tmp_path)
        workers = [
            Machine(name, [sys.executable, "manage.py", "worker"], environment | _wrong_clock(ahead), tmp_path)
            for name, ahead in WRONG_CLOCKS.items()
        ]
        yield Faults(run=run, database=database, mail=mail, workers=workers, site=site, outside=outside)


def _wrong_clock(ahead: float) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "tests.chaos.skewed_settings", "CLOCK_WRONG_BY": str(ahead)}


def _environment(database: Database, mail: MailServer, settings: LazySettings, folder: Path) -> dict[str, str]:
    """Short leases and little patience, so that minutes show what otherwise takes an hour."""
    return {
        **os.environ,
        **SELLER,
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": database.url,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
        "SITE_URL": settings.SITE_URL,
        "VAR_DIR": str(folder / "var"),
        "DEBUG": "false",
        "LOG_LEVEL": "INFO",
        "VIES_URL": "",
        "TASK_TIMEOUT": str(TASK_SECONDS),
        "REQUEUE_AFTER": "5",
        "IDLE_TRANSACTION_TIMEOUT": "10",  # the run itself waits for the rows of a worker that stands still
        "WORKER_STALLED_AFTER": "30",
        "WORKER_GRACE": "5",
        "WORKERS": "2",
    }
