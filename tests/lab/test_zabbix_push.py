"""Zabbix's own webhook, imported from the file that we ship, pushes a real problem to a server that listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from monitoring.adapters.zabbix import ZabbixWatch
from monitoring.push.signing import HEADER, check
from tests.lab.zabbix import VERSIONS, orders, serving, wait_until, zabbix

pytestmark = pytest.mark.lab

FILE = Path(__file__).parents[2] / "deploy" / "zabbix" / "media_live.yaml"
RULES = {"mediaTypes": {"createMissing": True, "updateExisting": True}}


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, bytes, str]]]]:
    """An address, and the (path, body, signature) of everything that was posted there."""
    heard: list[tuple[str, bytes, str]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, body, self.headers.get(HEADER, "")))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()


@contextmanager
def webhook(watch: ZabbixWatch, url: str, secret: str, key: str) -> Iterator[None]:
    """The media type as an operator sets it up: imported, with its macros, an action and a person's media.

    Under a name of this run's, so that others in the same lab are left alone.
    """
    call, run = watch.wire.call, key.removeprefix("live-").upper()
    source = FILE.read_text().replace("Geocat Live'", f"Geocat Live {run}'")
    source = source.replace("{$LIVE.URL}", f"{{$LIVE.URL.{run}}}")
    source = source.replace("{$LIVE.WEBHOOK.SECRET}", f"{{$LIVE.SECRET.{run}}}")
    made: list[tuple[str, Any]] = []

    def make(method: str, params: object, name: str) -> str:
        number = str(call(f"{method}create", params)[name][0])
        made.append((f"{method}delete", [number]))
        return number

    try:
        assert call("configuration.import", {"format": "yaml", "rules": RULES, "source": source})
        media = call("mediatype.get", {"filter": {"name": f"Geocat Live {run}"}})[0]["mediatypeid"]
        made.append(("mediatype.delete", [media]))
        for macro, value in ((f"{{$LIVE.URL.{run}}}", url), (f"{{$LIVE.SECRET.{run}}}", secret)):
            number = call("usermacro.createglobal", {"macro": macro, "value": value, "type": 0})["globalmacroids"][0]
            made.append(("usermacro.deleteglobal", [number]))
        role = call("role.get", {"filter": {"type": 3}})[0]["roleid"]
        group = call("usergroup.get", {"filter": {"name": "No access to the frontend"}})[0]["usrgrpid"]
        person = {
            "username": f"live-{run}",
            "passwd": f"Aa1-{uuid4().hex}",
            "roleid": role,
            "usrgrps": [{"usrgrpid": group}],
            "medias": [{"mediatypeid": media, "sendto": "live", "active": 0, "severity": 63}],
        }
        user = make("user.", person, "userids")
        operation = {"operationtype": 0, "opmessage": {"default_msg": 1, "mediatypeid": media}}
        told = {**operation, "opmessage_usr": [{"userid": user}]}
        action = {
            "name": f"Geocat Live {run}",
            "eventsource": 0,
            "esc_period": "1m",
            "filter": {
                "evaltype": 0,
                "conditions": [{"conditiontype": 26, "operator": 0, "value2": "live", "value": key}],
            },
            "operations": [{**told, "esc_period": "0", "esc_step_from": 1, "esc_step_to": 1}],
            "recovery_operations": [told],
        }
        make("action.", action, "actionids")
        yield
    finally:
        for method, params in reversed(made):
            call(method, params)


@pytest.mark.parametrize("version", list(VERSIONS))
def test_problem_and_recovery_are_pushed_signed(version: str, socket_enabled: None) -> None:
    watch, secret = zabbix(version), uuid4().hex
    with serving() as address, listening() as (url, heard):
        (spec,) = orders(address, 1)
        with webhook(watch, url, secret, spec.key):
            try:
                watch.ensure_monitors([spec])
                wait_until(lambda: bool(address.asked))
                address.status = 500
                wait_until(lambda: len(heard) >= 1)
                address.status = 200
                wait_until(lambda: len(heard) >= 2, 90)
            finally:
                watch.remove_monitors([spec.key])
    for path, body, signature in heard[:2]:
        assert path == "/hooks/zabbix/"
        assert json.loads(body)["key"] == spec.key
        check(secret, body, signature, now=datetime.now(UTC))
