"""The sweep lets every room reconcile, and hands over what is due."""

from __future__ import annotations

import pytest

from core import clock
from core.engine import sweep
from core.engine.queue import read_queue
from customers.models import Message
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_room_that_fails_keeps_neither_the_others_nor_the_queue_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[str] = []

    def fail() -> None:
        raise KeyError("a bug")

    followers = {"first": lambda: called.append("first"), "second": fail, "third": lambda: called.append("third")}
    monkeypatch.setattr(sweep, "_followers", followers)
    Message.objects.create(
        key="k", customer=CustomerFactory(), to=[], subject="s", text="t", next_attempt_at=clock.now()
    )
    assert sweep.sweep() == 1
    assert called == ["first", "third"]
    assert "second was not reconciled" in caplog.text
    assert read_queue().waiting == 1
    assert read_queue().error == "second: KeyError('a bug')"
    assert read_queue().swept_at is not None
