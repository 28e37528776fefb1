"""A PostgreSQL server that belongs to one run, so that it may be killed without harm to anybody else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    # A crash of PostgreSQL loses nothing without it; only a crash of the machine would.
    "fsync": "off",
}


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def programs() -> Path | None:
    """The folder of Debian's newest PostgreSQL; None where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


class Database:
    """The server and its one database `live`."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin, self.port = bin_folder, free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="geocat-live-chaos-", dir="/var/tmp"))
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "--auth=trust", "--username=live", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start()
        with psycopg.connect(dbname="postgres", **self.address, autocommit=True) as session:
            session.execute("CREATE DATABASE live")

    @property
    def address(self) -> dict[str, str | int]:
        """How its sessions are opened."""
        return {"host": "127.0.0.1", "port": self.port, "user": "live"}

    @property
    def url(self) -> str:
        """The `DATABASE_URL` of everybody who works on it."""
        return f"postgres://live@127.0.0.1:{self.port}/live"

    def start(self) -> None:
        """It takes connections."""
        options = " ".join(f"-c {name}='{value}'" for name, value in {**OPTIONS, "port": self.port}.items())
        self._run("pg_ctl", "--wait", f"--log={self._folder / 'log'}", f"--options={options}", "start")

    def crash_and_restart(self, pause: float) -> None:
        """All its processes ended at once; after `pause` seconds it is back, recovered."""
        self._run("pg_ctl", "--mode=immediate", "--wait", "stop")
        time.sleep(pause)
        self.start()

    def cut_off(self) -> int:
        """Every session is ended; returns how many there were."""
        statement = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'live'"
        with psycopg.connect(dbname="postgres", **self.address, autocommit=True) as session:
            row = session.execute(statement).fetchone()
        return int(row[0]) if row else 0

    def drop(self) -> None:
        """Nothing of it is left."""
        self._run("pg_ctl", "--mode=immediate", "--wait", "stop", check=False)
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._bin / program), f"--pgdata={self._folder / 'data'}", *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=check, stdout=subprocess.DEVNULL, cwd="/")
