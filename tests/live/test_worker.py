"""`manage.py worker` goes on whatever of it is killed, and ends whole."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django_q.models import OrmQ

from core.engine.queue import enqueue
from core.engine.supervisor import process_states

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("leader", "ticker", "guard", "worker", "monitor", "pusher")
SECONDS = 180.0  # for a start on a machine that is busy otherwise
KILLS = int(os.environ.get("KILLS", "2"))  # of each kind of process; `KILLS=10 make lab` tries harder


def wait_for(condition: Callable[[], bool], what: str) -> float:
    """The seconds that it took until the condition was true."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < SECONDS, what
        time.sleep(0.1)
    return time.monotonic() - begun


def children_of(pid: int) -> list[int]:
    """The living children of a process, in the sequence in which they were started."""
    return sorted(process.pid for process in process_states() if process.parent == pid and process.state != "Z")


class FileCopy:
    """The test's SQLite database, copied to a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "db.sqlite3"
        self.url = f"sqlite:///{self.path}"
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM INTO '{self.path}'")

    def query(self, statement: str, parameters: Sequence[object]) -> int:
        """Runs a statement; a count is its answer."""
        with sqlite3.connect(self.path, timeout=30) as database:
            found = database.execute(statement.replace("%s", "?"), parameters).fetchone()
        database.close()
        return int(found[0]) if found else 0

    def drop(self) -> None:
        """Nothing to do: the folder goes with the test."""


class ServerCopy:
    """The test's PostgreSQL database, copied beside it."""

    def __init__(self, folder: Path) -> None:
        original = connection.settings_dict
        self.name = f"{original['NAME']}_{folder.name}"[:63].lower()
        self.server = {"host": original["HOST"], "port": original["PORT"] or 5432, "user": original["USER"]}
        if original["PASSWORD"]:
            self.server["password"] = original["PASSWORD"]
        account = ":".join(filter(None, (original["USER"], original["PASSWORD"])))
        self.url = f"postgres://{account}@{original['HOST']}:{self.server['port']}/{self.name}"
        connection.close()  # a database that is in use cannot be copied
        self.drop()
        # Threads of tests before this one may have left their connections.
        self._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", original["NAME"])
        self._run(f'CREATE DATABASE "{self.name}" TEMPLATE "{original["NAME"]}"')

    def query(self, statement: str, parameters: Sequence[object]) -> int:
        """Runs a statement; a count is its answer."""
        with psycopg.connect(dbname=self.name, autocommit=True, **self.server) as database:
            cursor = database.execute(statement, parameters)
            found = cursor.fetchone() if cursor.description else None
        return int(found[0]) if found else 0

    def drop(self) -> None:
        """The copy is gone, whoever is still connected."""
        self._run(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _run(self, statement: str, *parameters: str) -> None:
        with psycopg.connect(dbname="postgres", autocommit=True, **self.server) as database:
            database.execute(statement, parameters or None)


class Worker:
    """A worker with a queue of its own, in a copy of the test's database."""

    def __init__(self, folder: Path) -> None:
        self.message = self._message()
        self.database = FileCopy(folder) if connection.vendor == "sqlite" else ServerCopy(folder)
        self.log = folder / "log"
        environment = {
            **os.environ,
            "DATABASE_URL": self.database.url,
            "VAR_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "live.settings",
            "WORKER_GRACE": "3",
            "WORKERS": "2",
            "DEBUG": "true",
        }
        command = [sys.executable, "manage.py", "worker", "--tick", "30"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log)

    def _message(self) -> tuple[str, str]:
        """A task of two seconds, as it stands on the queue."""
        OrmQ.objects.all().delete()
        enqueue("time.sleep", 2)
        row = OrmQ.objects.get()
        row.delete()
        return row.key, row.payload

    def query(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Runs a statement on the worker's database; a count is its answer."""
        return self.database.query(statement, parameters)

    def put_task(self) -> None:
        """The task is on the queue."""
        statement = "INSERT INTO django_q_ormq (key, payload, lock) VALUES (%s, %s, '2020-01-01 00:00:00')"
        self.query(statement, self.message)

    def has_begun(self) -> bool:
        """True once a worker has taken the task."""
        return self.query("SELECT count(*) FROM django_q_ormq WHERE lock > '2020-01-02'") > 0

    def works(self) -> bool:
        """True once nothing waits on the queue: the task was finished."""
        return self.query("SELECT count(*) FROM django_q_ormq") == 0

    def processes(self) -> dict[str, int]:
        """One process of each kind; empty until all are there."""
        children = children_of(self.process.pid)
        guards = children_of(children[0]) if len(children) == 2 else []
        queue = children_of(guards[0]) if len(guards) == 1 else []
        if len(queue) != 4:
            return {}
        leader, ticker = children
        first, _second, monitor, pusher = queue
        return dict(zip(KINDS, (leader, ticker, guards[0], first, monitor, pusher), strict=True))

    def try_killing(self, kind: str, *, busy: bool) -> float:
        """The seconds from the end of a process of this kind until a task is finished again."""
        wait_for(lambda: bool(self.processes()), "all processes are there")
        if busy:
            self.put_task()
            wait_for(self.has_begun, "the task has begun")
        else:
            time.sleep(0.5)
        before = self.processes()
        os.kill(before[kind], signal.SIGKILL)
        begun = time.monotonic()
        wait_for(lambda: self.processes().get("leader", before["leader"]) != before["leader"], "there is a new group")
        # They were killed before, and are reaped a moment later.
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before.values()), "the former group is gone")
        self.query("DELETE FROM django_q_ormq")  # what was taken by the dead is delivered again only after `retry`
        self.put_task()
        wait_for(self.works, "a task was finished")
        return time.monotonic() - begun


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    started = Worker(tmp_path)
    yield started
    processes = started.processes()
    started.process.kill()
    started.process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes.values()), "no process is left")
    started.database.drop()


def test_idle_worker_that_is_killed_stops_no_task_and_sigterm_ends_everything(worker: Worker) -> None:
    worker.try_killing("worker", busy=False)
    processes = worker.processes()
    worker.process.terminate()
    assert worker.process.wait(timeout=SECONDS) == 0
    assert not {pid for pid in processes.values() if Path(f"/proc/{pid}").exists()}


def test_killed_worker_command_leaves_no_children(worker: Worker) -> None:
    wait_for(lambda: bool(worker.processes()), "all processes are there")
    processes = worker.processes()
    worker.process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes.values()), "no process is left")


@pytest.mark.lab
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_process_may_be_killed_again_and_again(worker: Worker, kind: str, busy: bool) -> None:
    seconds = [worker.try_killing(kind, busy=busy) for _ in range(KILLS)]
    print(f"{kind}, busy={busy}: a task was finished again after {min(seconds):.1f} to {max(seconds):.1f} s")  # noqa: T201
