"""The demonstration with a simulated WHMCS: its settings fit the simulator, and clients arrive by hook."""

from __future__ import annotations

import subprocess
import sys
from threading import Event
from typing import Any

import pytest
from django.conf import settings

from customers.whmcs.simulator import server
from customers.whmcs.simulator.arrivals import let_clients_arrive, send_hook
from customers.whmcs.simulator.records import example_records
from live.demo.cast import whmcs_settings


def test_the_settings_are_those_of_the_simulator() -> None:
    names = whmcs_settings(8099)
    assert (names["WHMCS_IDENTIFIER"], names["WHMCS_SECRET"]) == (server.IDENTIFIER, server.SECRET)
    assert names["WHMCS_URL"] == "http://127.0.0.1:8099/whmcs"
    assert len(names["WHMCS_WEBHOOK_SECRET"]) >= 32


class OneRound(Event):
    """Waits once without waiting, and is set after that."""

    def wait(self, timeout: float | None = None) -> bool:
        was_set = self.is_set()
        self.set()
        return was_set


def test_a_client_arrives_and_a_hook_that_nobody_takes_stops_nothing(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = server.Simulator(records=example_records(2))
    lines: list[str] = []
    options: dict[str, Any] = {"every": 0, "secret": "s" * 32, "report": lines.append}
    let_clients_arrive(simulator, hooks="http://127.0.0.1:9/hooks/whmcs/", until=OneRound(), **options)
    assert len(simulator.records.clients) == 3
    assert lines == ["Client 3 (Kadaster Test 3) has registered; hook: ConnectionError\n"]
    sent: list[tuple[bytes, dict[str, str]]] = []

    class Answer:
        status_code = 202

    def post(url: str, *, data: bytes, headers: dict[str, str], timeout: object) -> Answer:
        sent.append((data, headers))
        return Answer()

    monkeypatch.setattr("requests.post", post)
    assert send_hook("http://127.0.0.1:9/", "s" * 32, 3) == "202"
    assert sent[0][0] == b'{"hook": "ClientAdd", "client_id": 3}'
    assert sent[0][1]["X-Live-Signature"].startswith("t=")


def test_the_simulator_starts_by_hand() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "customers.whmcs.simulator", "--help"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--arrive-every" in shown.stdout
