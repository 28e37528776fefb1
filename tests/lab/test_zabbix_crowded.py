"""A real Zabbix whose database takes no more sessions: it is waited for, staff see why, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from uuid import uuid4

import pytest
from django.db import connection

from core.errors import OutsideError
from monitoring.adapters.zabbix.backend import ZabbixBackend
from orders.choices import PartState, State
from tests.lab.monitored_order import MonitoredOrder, forget_product, monitored_by
from tests.lab.zabbix import VERSIONS, serving, wait_until, zabbix

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

LAB = Path(__file__).parents[2] / "var/lab"
CONF = "/etc/zabbix/zabbix.conf.php"
SERVE = "exec php -c php.ini -S $0 -t /usr/share/zabbix"
MESSAGE = "Zabbix is in trouble: Error connecting to database."


def on_this_machine(folder: Path, at: str) -> Sequence[str]:
    """The same pages with other settings, which nobody else sees."""
    private = ["unshare", "--mount", "--propagation", "private"]
    return [*private, "sh", "-c", f"cd {folder} && mount --bind frontend.php {CONF} && {SERVE}", at]


def in_a_container(folder: Path, at: str) -> Sequence[str]:
    here = ["docker", "run", "--rm", "--name", folder.name, "--network", "host", "--volume", f"{folder}:/few:ro"]
    return [*here, "live-lab-zabbix:7.0", "sh", "-c", f"cd /few && ln -sfn /few/frontend.php {CONF} && {SERVE}", at]


COMMANDS = {"6.0": on_this_machine, "7.0": in_a_container}


def take_sessions(role: str, number: int) -> None:
    """The database lets the role have so many sessions at a time; -1 is as many as it wants."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {role} CONNECTION LIMIT {number}")


@pytest.fixture
def role(transactional_db: None) -> Iterator[str]:
    """A database role that may do what the lab's own may."""
    role = f"lab_{uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN IN ROLE live")
        yield role
        cursor.execute(f"DROP ROLE {role}")


@contextmanager
def frontend(version: str, role: str, folder: Path) -> Iterator[str]:
    """Another frontend of the same Zabbix, which reaches the database in that role; its address."""
    lab = LAB / f"zabbix-{version.replace('.', '')}"
    (folder / "frontend.php").write_text((lab / "frontend.php").read_text().replace("'live'", f"'{role}'"))
    (folder / "php.ini").write_text((lab / "php.ini").read_text())
    with create_server(("127.0.0.1", 0)) as free:
        at = f"127.0.0.1:{free.getsockname()[1]}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(COMMANDS[version](folder, at), **quiet) as served:  # type: ignore[call-overload]
        try:
            yield f"http://{at}"
        finally:
            if version == "7.0":
                subprocess.run(["docker", "rm", "--force", folder.name], check=False, capture_output=True)
            served.terminate()


@pytest.fixture(params=list(VERSIONS))
def life(
    request: pytest.FixtureRequest, role: str, tmp_path: Path, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MonitoredOrder]:
    """An order that is about to be registered with a Zabbix whose sessions can be taken away."""
    folder = tmp_path / role
    folder.mkdir()
    admin = zabbix(str(request.param))
    user, password = os.environ["LAB_ZABBIX_USER"], os.environ["LAB_ZABBIX_PASSWORD"]
    with frontend(str(request.param), role, folder) as url, serving() as address:
        backend = ZabbixBackend(url=url, user=user, password=password, interval="2s")
        wait_until(lambda: is_there(backend), 30)
        life = monitored_by(backend, address, monkeypatch)
        yield life
        admin.remove_monitors([life.order.key])
        forget_product(admin, life.order)


def is_there(backend: ZabbixBackend) -> bool:
    try:
        return bool(backend.test_connection())
    except OutsideError:
        return False


def test_order_is_registered_and_read_once_there_are_sessions_again(life: MonitoredOrder, role: str) -> None:
    take_sessions(role, 0)
    life.beat()
    assert life.part_state() == (PartState.WORKING, MESSAGE)
    assert life.monitor.last_error == MESSAGE
    assert (life.order.state, life.order.reason) == (State.ACTIVE, "Running; monitoring pending.")
    assert not life.order.needs_attention

    take_sessions(role, -1)
    life.soon()
    life.until(lambda: life.part_state() == (PartState.READY, "1 check registered."), "registered")
    life.until(lambda: life.monitor.state == "up", "first reading")

    take_sessions(role, 0)
    life.beat()
    assert life.monitor.read_error == MESSAGE
    assert (life.monitor.state, life.order.state) == ("up", State.ACTIVE)

    take_sessions(role, -1)
    life.beat()
    assert life.monitor.read_error == ""
    assert {kind: len(ids) for kind, ids in life.rows_in_zabbix().items() if kind != "item"} == {
        "host": 1,
        "httptest": 1,
        "trigger": 1,
        "service": 1,
    }
