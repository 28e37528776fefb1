"""Zabbix's own webhook, set up as an operator sets it up from the file that we ship, and somebody who listens to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

from core.signatures import HEADER
from monitoring.adapters.zabbix.backend import ZabbixBackend

FILE = Path(__file__).parents[2] / "deploy" / "zabbix" / "media_live.yaml"
Push = tuple[str, bytes, str]
"""Path, body and signature."""
RULES = {"mediaTypes": {"createMissing": True, "updateExisting": True}}


@contextmanager
def listening() -> Iterator[tuple[str, list[Push]]]:
    """An address, and everything that was posted there."""
    heard: list[Push] = []

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
def webhook(backend: ZabbixBackend, url: str, secret: str, key: str) -> Iterator[None]:
    """The media type as an operator sets it up: imported, with its macros, an action and a person's media.

    Under a name of this run's, so that others in the same lab are left alone.
    """
    call, run = backend.client.call, key.removeprefix("live-").upper()
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
        shown = {**operation, "opmessage_usr": [{"userid": user}]}
        action = {
            "name": f"Geocat Live {run}",
            "eventsource": 0,
            "esc_period": "1m",
            "filter": {
                "evaltype": 0,
                "conditions": [{"conditiontype": 26, "operator": 0, "value2": "live", "value": key}],
            },
            "operations": [{**shown, "esc_period": "0", "esc_step_from": 1, "esc_step_to": 1}],
            "recovery_operations": [shown],
        }
        make("action.", action, "actionids")
        yield
    finally:
        for method, params in reversed(made):
            call(method, params)
