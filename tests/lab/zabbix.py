"""A real Zabbix of the lab, an address that can be broken, and keys that nobody else uses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import CheckSpec, MonitorSpec

VERSIONS = {"6.0": "LAB_ZABBIX_60_URL", "7.0": "LAB_ZABBIX_70_URL"}


def zabbix(version: str, *, interval: str = "2s", **wishes: str) -> ZabbixBackend:
    """The lab's Zabbix of a version, by user and password, asking as often as it is told."""
    env = os.environ
    user, password = env["LAB_ZABBIX_USER"], env["LAB_ZABBIX_PASSWORD"]
    return ZabbixBackend(url=env[VERSIONS[version]], user=user, password=password, interval=interval, **wishes)


@dataclass
class Address:
    """A web address of this machine; set `status` to break it."""

    port: int = 0
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


@contextmanager
def serving() -> Iterator[Address]:
    """An address that answers on a port of its own, within reach of both Zabbix servers."""
    address = Address()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address.asked.append(self.path)
            self.send_response(address.status)
            self.end_headers()
            self.wfile.write(b"<WMS_Capabilities version='1.3.0'>all (is) well</WMS_Capabilities>")

        def log_message(self, *args: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        address.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


def orders(address: Address, number: int = 2, *, checks: int = 1) -> list[MonitorSpec]:
    """What is to be watched of so many orders; each check has a path of its own."""
    run = uuid4().hex[:8]
    return [_order(address, f"lab{run}{i:04d}", checks) for i in range(number)]


def _order(address: Address, reference: str, checks: int) -> MonitorSpec:
    return MonitorSpec(
        key=f"live-{reference}",
        name=f"{reference} Merholm · Lab",
        tags={
            "order": reference,
            "customer": "C1",
            "product": "lab",
            "release": "1.0",
            "environment": "sandbox",
        },
        checks=tuple(_check(address, reference, number) for number in range(checks)),
        plan="lab/small",
        promise=99.5,
    )


def _check(address: Address, reference: str, number: int) -> CheckSpec:
    url = address.url(f"{reference}/wms{number}?service=WMS&request=GetCapabilities")
    name = f"Web Map Service, no. {number} [maps]"
    return CheckSpec(key=f"wms{number}", name=name, url=url, contains="all (is) well", max_seconds=2.5)


def wait_until(holds: Callable[[], bool], seconds: float = 150) -> None:
    """Something holds, or the test fails."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(1)
