"""Zabbix's own webhook, imported from the file that we ship, pushes a real problem to a server that listens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from core.signatures import check
from tests.lab.webhook import listening, webhook
from tests.lab.zabbix import VERSIONS, orders, serving, wait_until, zabbix

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("version", list(VERSIONS))
def test_problem_and_recovery_are_pushed_signed(version: str, socket_enabled: None) -> None:
    backend, secret = zabbix(version), uuid4().hex
    with serving() as address, listening() as (url, heard):
        (spec,) = orders(address, 1)
        with webhook(backend, url, secret, spec.key):
            try:
                backend.ensure_monitors([spec])
                wait_until(lambda: bool(address.asked))
                address.status = 500
                wait_until(lambda: len(heard) >= 1)
                address.status = 200
                wait_until(lambda: len(heard) >= 2, 90)
            finally:
                backend.remove_monitors([spec.key])
    for path, body, signature in heard[:2]:
        assert path == "/hooks/zabbix/"
        assert json.loads(body)["key"] == spec.key
        check(secret, body, signature, now=datetime.now(UTC))
