"""A real Zabbix tells its problem, that it is over, what it measured meanwhile, and how well it says all went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.adapters.zabbix.history_source import ZabbixHistorySource
from monitoring.contracts.backend import Health
from monitoring.contracts.history_source import HistoryRange
from monitoring.rules.availability import Span
from monitoring.rules.history_rewrite import rewrite_outages
from tests.lab.zabbix import VERSIONS, orders, serving, wait_until, zabbix

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("version", list(VERSIONS))
def test_outage_is_told_while_it_goes_on_and_when_it_is_over(version: str, socket_enabled: None) -> None:
    backend = zabbix(version)
    source = ZabbixHistorySource(backend.client)
    with serving() as address:
        (spec,) = orders(address, 1)
        began = datetime.now(UTC)
        try:
            backend.ensure_monitors([spec])
            wait_until(lambda: len(address.asked) >= 3)
            address.status = 500
            wait_until(lambda: any(problem.key == spec.key for problem in source.read_problems()))
            (alarm,) = [problem for problem in source.read_problems() if problem.key == spec.key]
            assert (alarm.check, alarm.acknowledged) == ("wms0", False)
            assert not any(problem.key == spec.key for problem in source.read_past_problems(since=began))

            asked = len(address.asked)
            wait_until(lambda: len(address.asked) >= asked + 3)
            address.status = 200
            wait_until(lambda: any(problem.key == spec.key for problem in source.read_past_problems(since=began)))
            assert not any(problem.key == spec.key for problem in source.read_problems())

            asked_for = HistoryRange(key=spec.key, check="wms0", start=began, end=datetime.now(UTC))
            history = source.read_history([asked_for])[asked_for]
            (outage,) = rewrite_outages([], Span(asked_for.start, asked_for.end), history)
            assert abs(outage.span.start - alarm.since) < timedelta(seconds=10)
            assert outage.cause.status == 500
            assert history[-1].health is Health.UP

            wait_until(lambda: any(problem.key == spec.key for problem in source.read_sli()))
            figure = next(problem for problem in source.read_sli() if problem.key == spec.key)
            assert figure.start.day == 1
            assert "hosts:" in "".join(source.describe())
        finally:
            backend.remove_monitors([spec.key])
