"""Clients that register in the simulated WHMCS while it runs; its hook tells Geocat Live of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

import requests

from core.signatures import HEADER, sign
from customers.whmcs.simulator.server import Simulator

TIMEOUT = (2.0, 5.0)


def let_clients_arrive(
    simulator: Simulator, *, every: float, hooks: str, secret: str, until: Event, report: Callable[[str], object]
) -> None:
    """A client registers every so many seconds until `until` is set; a hook that nobody takes is left to the sync."""
    while not until.wait(every):
        client_id = simulator.records.add_client()
        name = simulator.records.clients[client_id]["companyname"] or "a person"
        report(f"Client {client_id} ({name}) has registered; hook: {send_hook(hooks, secret, client_id)}\n")


def send_hook(hooks: str, secret: str, client_id: int) -> str:
    """The hook ClientAdd, signed as the module signs it; the status of the answer, or why there was none."""
    body = json.dumps({"hook": "ClientAdd", "client_id": client_id}).encode()
    headers = {HEADER: sign(secret, body, at=datetime.now(UTC)), "Content-Type": "application/json"}
    try:
        return str(requests.post(hooks, data=body, headers=headers, timeout=TIMEOUT).status_code)
    except requests.RequestException as error:
        return type(error).__name__
