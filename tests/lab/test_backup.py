"""A backup of a living company on PostgreSQL, restored into an empty database: nothing is missing, and work goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.test import override_settings
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from billing.invoicing.services import bill_due_subscriptions
from billing.models import Invoice, InvoicePdf, NumberSeries
from core import clock
from customers.models import Message
from live.demo.cast import SELLER, assemble
from live.demo.company import complete_company, found_company
from orders.choices import State
from orders.models import Order, OrderSecrets
from orders.services import remove_order
from tests.chaos.conftest import default_connection_to
from tests.chaos.database import Database, programs
from tests.chaos.machines import Machine
from tests.driving import Drive

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

MFA_SECRET = "JBSWY3DPEHPK3PXP"
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
ROWS = """SELECT count(*), md5(string_agg(row::text, E'\\n' ORDER BY row::text COLLATE "C")) FROM {} AS row"""
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"


@dataclass(frozen=True, slots=True)
class Site:
    """A database, and a folder with the stored files."""

    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What its programs need."""
        return {
            **os.environ,
            **SELLER,
            "DJANGO_SETTINGS_MODULE": "live.settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": self.url,
            "VAR_DIR": str(self.folder),
            "SITE_URL": "http://127.0.0.1:8000",
            "EMAIL_URL": "dummymail://",
            "DEBUG": "false",
            "VIES_URL": "",
        }

    def manage(self, *arguments: str) -> str:
        """What a command of `manage.py` printed."""
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=settings.BASE_DIR,
            env=self.environment,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    @contextmanager
    def in_this_process(self) -> Iterator[None]:
        """The ORM and the storage of the test are its own."""
        with default_connection_to(self.url), override_settings(VAR_DIR=self.folder, MEDIA_ROOT=self.folder / "files"):
            yield

    def content(self) -> Content:
        """What it holds now."""
        return Content(self.rows(), self.sequences(), self.files())

    def rows(self) -> dict[str, tuple[int, str]]:
        """How many rows each table has, and a digest of all their columns."""
        with psycopg.connect(self.url) as session:
            names = [row[0] for row in session.execute(TABLES)]
            counted = {name: session.execute(sql.SQL(ROWS).format(sql.Identifier(name))).fetchone() for name in names}
        return {name: (row[0], row[1]) for name, row in counted.items() if row}

    def sequences(self) -> dict[str, int | None]:
        """The last number that each sequence gave out."""
        with psycopg.connect(self.url) as session:
            return dict(session.execute(SEQUENCES).fetchall())

    def files(self) -> dict[str, str]:
        """The SHA-256 of each stored file."""
        root = self.folder / "files"
        return {
            str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest()
            for path in root.rglob("*")
            if path.is_file()
        }


@dataclass(frozen=True, slots=True)
class Content:
    """All that a site holds at one moment."""

    rows: dict[str, tuple[int, str]]
    sequences: dict[str, int | None]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a site held at its backup, and the site that came of that."""

    before: Content
    after: Content
    site: Site
    removing: int
    """The order that was asked to be removed just before the backup."""


def live_through(site: Site) -> int:
    """The company of the demonstration with all that hangs on it; returns an order whose removal has just begun."""
    with site.in_this_process():
        with pytest.MonkeyPatch.context() as patched:
            drive = Drive(patched)
            cast = assemble()
            company = found_company(cast)
            assert company is not None
            drive.settle(seconds=60)
            complete_company(cast, company)
            drive.settle(seconds=60)
        TOTP.activate(cast.staff, MFA_SECRET)
        assert Message.objects.exists()
        assert OrderSecrets.objects.exists()
        order = company.active[0]
        order.refresh_from_db()
        return int(remove_order(order=order, actor=cast.staff).pk)


@pytest.fixture
def restored(django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[Restored]:
    """Backup and restore by their two commands, from one database into an empty one."""
    if (bin_folder := programs()) is None:
        pytest.fail("PostgreSQL's server is missing; Debian's package is postgresql")
    with ExitStack() as stack:
        server = Database(bin_folder)
        stack.callback(server.drop)
        stack.enter_context(django_db_blocker.unblock())
        with psycopg.connect(dbname="postgres", **server.address, autocommit=True) as session:
            session.execute("CREATE DATABASE restored")
        before = Site(server.url, tmp_path / "before")
        after = Site(server.url.removesuffix("/live") + "/restored", tmp_path / "after")
        for site in (before, after):
            site.folder.mkdir()
        before.manage("setup")
        removing = live_through(before)
        before.manage("backup", str(tmp_path / "backup.tar"))
        after.manage("restore", str(tmp_path / "backup.tar"))
        yield Restored(before.content(), after.content(), after, removing)


def _every_row_of_every_table_is_there(restored: Restored) -> None:
    assert restored.after.rows == restored.before.rows
    assert sum(count > 0 for count, _digest in restored.before.rows.values()) > 40
    assert restored.before.rows["django_q_ormq"][0] > 0, "the queue is part of it"


def _every_stored_file_is_the_same_and_that_which_its_row_names(restored: Restored) -> None:
    assert restored.after.files == restored.before.files
    with restored.site.in_this_process():
        documents = dict(InvoicePdf.objects.exclude(sha256="").values_list("path", "sha256"))
    assert documents
    assert documents.items() <= restored.after.files.items()


def _secrets_open_and_sign_in_codes_count(restored: Restored) -> None:
    with restored.site.in_this_process():
        device = Authenticator.objects.get(type=Authenticator.Type.TOTP).wrap()
        counter = next(yield_hotp_counters_from_time())
        assert device.validate_code(format_hotp_value(hotp_value(MFA_SECRET, counter)))
        assert all(row.values for row in OrderSecrets.objects.all())


def _numbers_go_on_where_they_were(restored: Restored) -> None:
    assert restored.after.sequences == restored.before.sequences
    with restored.site.in_this_process():
        highest = Invoice.objects.latest("pk").pk
        count = bill_due_subscriptions(today=clock.today() + timedelta(days=40))
        new = Invoice.objects.filter(pk__gt=highest)
        assert len(new) == count > 0
        for series in NumberSeries.objects.all():
            numbers = Invoice.objects.filter(number__startswith=f"{series.series}{series.year}-")
            assert numbers.count() == series.last


def _a_worker_goes_on_with_what_had_begun(restored: Restored) -> None:
    site = restored.site
    worker = Machine("worker", [sys.executable, "manage.py", "worker"], site.environment, site.folder)
    try:
        with site.in_this_process():
            until = time.monotonic() + 120
            while (order := Order.objects.get(pk=restored.removing)).state != State.REMOVED:
                assert time.monotonic() < until, f"{order.reason}\n{worker.log.read_text()[-3000:]}"
                time.sleep(0.3)
    finally:
        worker.stop()


def test_a_restored_company_lacks_nothing_and_goes_on(restored: Restored) -> None:
    """One test, as the tests of the lab run side by side and each process would found a company of its own."""
    _every_row_of_every_table_is_there(restored)
    _every_stored_file_is_the_same_and_that_which_its_row_names(restored)
    _secrets_open_and_sign_in_codes_count(restored)
    _numbers_go_on_where_they_were(restored)
    _a_worker_goes_on_with_what_had_begun(restored)
