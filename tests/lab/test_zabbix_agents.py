"""Zabbix asks a real agent on a host of the lab: about the host and its containers, and about certificates."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from infrastructure.adapters.ssh.hosts import ask
from infrastructure.models import Server
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import CheckSpec, Health, MonitorSpec, Registered
from monitoring.models import Problem
from monitoring.monitors.services import reregister_monitors
from orders.choices import PartState, State
from tests.lab.authority import DAY, Authority
from tests.lab.faulty import QuietServer
from tests.lab.hosts import lab_hosts
from tests.lab.monitored_order import MonitoredOrder, forget_product, monitored_by
from tests.lab.zabbix import VERSIONS, orders, serving, wait_until, zabbix

pytestmark = pytest.mark.lab

HOST = "10.250.1.2"
AGENT = f"{HOST}:10050"
HERE = "10.250.1.1"
"""This machine, as the host sees it: its agent asks for the certificates that are shown here."""


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest, socket_enabled: None) -> str:
    return str(request.param)


class Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"all (is) well")

    def log_message(self, *args: object) -> None:
        """Silence."""


@dataclass
class Shop:
    """A secure address of this machine, and until when its certificate holds."""

    authority: Authority
    context: ssl.SSLContext
    port: int
    until: datetime

    def renew(self, until: datetime) -> None:
        """From now on it shows another certificate."""
        self.until = until
        self.context.load_cert_chain(self.authority.certify(since=until - 90 * DAY, until=until, address=HERE))


@contextmanager
def shown(authority: Authority, until: datetime) -> Iterator[Shop]:
    """An address that shows a certificate which holds until then."""
    context = authority.vouch(since=until - 90 * DAY, until=until, address=HERE)
    with QuietServer((HERE, 0), Well) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield Shop(authority=authority, context=context, port=server.server_port, until=until)
        server.shutdown()


def secure_order(shops: Mapping[str, Shop]) -> MonitorSpec:
    with serving() as nowhere:
        (spec,) = orders(nowhere, 1)
    checks = tuple(CheckSpec(key=name, name=name, url=f"https://{HERE}:{row.port}/") for name, row in shops.items())
    return replace(spec, checks=checks)


def certificate_items(backend: ZabbixBackend, spec: MonitorSpec) -> list[Mapping[str, Any]]:
    shape = {"host": spec.key, "search": {"key_": "certificate"}, "output": ["key_", "lastvalue", "state", "error"]}
    return list(backend.client.call("item.get", shape))


def dates(backend: ZabbixBackend, spec: MonitorSpec) -> dict[str, int]:
    """When Zabbix says that the certificate of each address expires."""
    found = {row["key_"]: row["lastvalue"] for row in certificate_items(backend, spec)}
    ports = {check.key: check.url.rpartition(":")[2].strip("/") for check in spec.checks}
    return {name: int(found.get(f"live.certificate.until[{HERE},{port}]") or 0) for name, port in ports.items()}


def alarms(backend: ZabbixBackend, spec: MonitorSpec) -> list[tuple[str, str, str]]:
    """Which certificates Zabbix worries about: the address, why and how much."""
    tags = [{"tag": "live", "value": spec.key, "operator": 1}, {"tag": "certificate", "operator": 4}]
    found = backend.client.call("problem.get", {"tags": tags, "output": "extend", "selectTags": "extend"})
    texts = [({tag["tag"]: tag["value"] for tag in row["tags"]}, row["severity"]) for row in found]
    return sorted((tags["certificate"], tags["alarm"], severity) for tags, severity in texts)


def test_certificates_are_dated_and_worried_about_until_they_are_renewed(version: str, tmp_path: Path) -> None:
    backend = zabbix(version, probe=AGENT, certificate_interval="2s")
    authority, now = Authority(tmp_path), datetime.now(UTC).replace(microsecond=0)
    with (
        shown(authority, now + 60 * DAY) as fine,
        shown(authority, now + 5 * DAY) as outcome,
        shown(authority, now - DAY) as ended,
    ):
        shops = {"fine": fine, "ending": outcome, "ended": ended}
        spec = secure_order(shops)

        def all_dated() -> bool:
            return dates(backend, spec) == {name: int(row.until.timestamp()) for name, row in shops.items()}

        try:
            answer = backend.ensure_monitors([spec])[spec.key]
            assert isinstance(answer, Registered)
            assert answer.remark == ""
            wait_until(all_dated, 90)
            worries = sorted([(f"{HERE}:{outcome.port}", "soon", "2"), (f"{HERE}:{ended.port}", "over", "4")])
            wait_until(lambda: alarms(backend, spec) == worries, 30)
            assert {row["state"] for row in certificate_items(backend, spec)} == {"0"}

            # Nobody whom Zabbix trusts vouches for them: whoever asks securely is not served.
            wait_until(lambda: len(backend.read_states([spec])[spec.key]) == 3, 90)
            for state in backend.read_states([spec])[spec.key].values():
                assert state.health is Health.DOWN
                assert state.failure
                assert state.failure.kind.startswith("certificate")

            for row in (outcome, ended):
                row.renew(now + 80 * DAY)
            wait_until(lambda: all_dated() and alarms(backend, spec) == [], 60)

            plain = replace(spec, checks=(replace(spec.checks[0], url=f"http://{HERE}:{fine.port}/"),))
            assert backend.ensure_monitors([plain]) == {spec.key: answer}
            assert certificate_items(backend, spec) == []
            assert interfaces(backend, spec.key) == {}
        finally:
            backend.remove_monitors([spec.key])
    assert backend.left_behind([spec.key]) == {}


def interfaces(backend: ZabbixBackend, key: str) -> dict[str, str]:
    """Which agents Zabbix asks about a host, and whether they answer: 0 not asked yet, 1 yes, 2 no."""
    hosts = [
        row["hostid"] for row in backend.client.call("host.get", {"output": ["hostid"], "filter": {"host": [key]}})
    ]
    found = backend.client.call("hostinterface.get", {"output": "extend", "hostids": hosts})
    return {f"{row['ip']}:{row['port']}": row["available"] for row in found}


@pytest.fixture
def life(version: str, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[MonitoredOrder]:
    """An order on a server with an agent, which is the first of the lab's hosts."""
    backend = zabbix(version)
    with serving() as address:
        life = monitored_by(backend, address, monkeypatch)
        Server.objects.filter(order=life.order).update(address=HOST, has_agent=True)
        yield life
        backend.remove_monitors([life.order.key])
        forget_product(backend, life.order)


def values(life: MonitoredOrder, *keys: str) -> dict[str, str]:
    """What the agent last said; Zabbix is told not to wait for the minute."""
    asked = {"host": life.order.key, "filter": {"key_": list(keys)}, "output": ["key_", "lastvalue", "type"]}
    items = life.backend.client.call("item.get", asked)
    now = [{"type": "6", "request": {"itemid": row["itemid"]}} for row in items if row["type"] == "0"]
    if now:
        life.backend.client.call("task.create", now)
    return {row["key_"]: row["lastvalue"] for row in items}


def test_agent_of_an_orders_server_tells_of_host_and_containers(life: MonitoredOrder) -> None:
    target = lab_hosts()[0]
    assert target.address == HOST
    engine = ask(target, "docker version --format '{{.Server.Version}}'").strip()
    name = ask(target, "hostname").strip()

    life.until(lambda: life.part_state()[0] == PartState.READY, "registered")
    assert life.monitor.remark == ""
    assert list(interfaces(life.backend, life.order.key)) == [AGENT]

    keys = ("agent.ping", "system.hostname", "docker.info", "docker.server_version")
    wanted = {"agent.ping": "1", "system.hostname": name, "docker.server_version": engine}
    wait_until(lambda: values(life, *keys).items() >= wanted.items(), 120)
    wait_until(lambda: interfaces(life.backend, life.order.key) == {AGENT: "1"}, 60)

    Server.objects.filter(order=life.order).update(has_agent=False)
    reregister_monitors()
    life.beat()
    assert life.monitor.remark == ""
    assert interfaces(life.backend, life.order.key) == {}
    assert values(life, *keys) == {}
    life.until(lambda: life.monitor.state == "up", "first reading")
    assert life.order.state == State.ACTIVE


def test_agent_that_is_silent_is_a_problem_and_no_outage(life: MonitoredOrder) -> None:
    """What is wrong with a server's agent is staff's business; the service goes on."""
    Server.objects.filter(order=life.order).update(address=HERE)  # nobody answers there
    life.until(lambda: life.part_state()[0] == PartState.READY, "registered")
    life.until(lambda: life.monitor.state == "up", "first reading")
    values(life, "agent.ping")
    wait_until(lambda: interfaces(life.backend, life.order.key) == {f"{HERE}:10050": "2"}, 120)
    life.beat()
    assert life.order.state == State.ACTIVE
    assert life.monitor.state == "up"
    assert not Problem.objects.filter(monitor_check__isnull=False).exists()
