"""A file whose tests change what others share is named as the one that did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as shared

from core import clock
from tests.leftovers import changed, shared_state


def test_value_that_is_changed_within_a_setting_shows(settings: Any) -> None:
    settings.SELLER = {**settings.SELLER}
    before = shared_state()
    assert changed(before, shared_state()) == []
    shared.SELLER["vat_id"] = "NL861234567B84"
    assert changed(before, shared_state()) == ["settings.SELLER"]


def test_environment_and_clock_show(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shared_state()
    monkeypatch.setenv("SELLER_NAME", "Kaartwerk")
    monkeypatch.setattr(clock, "_ahead", timedelta(seconds=3))
    assert changed(before, shared_state()) == ["os.environ['SELLER_NAME']", "the clock's correction"]
