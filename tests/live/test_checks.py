"""Contradicting settings are said with their id."""

from __future__ import annotations

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings


def ids() -> set[str]:
    """The ids of ours that speak now."""
    messages: list[CheckMessage] = run_checks()
    return {str(message.id) for message in messages if str(message.id).startswith("live.")}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SITE_URL", "live.example", "live.E001"),
        ("SITE_URL", "https://live.example", "live.E002"),
        ("SECRETS_KEYS", ["short"], "live.E003"),
        ("Q_CLUSTER", {"timeout": 60, "retry": 60}, "live.E004"),
        ("CATALOGUE_URL", "/nowhere/at/all", "live.E005"),
        ("SECRET_KEY", "", "live.E006"),
        ("QUEUES", ["live", "postcards"], "live.E007"),
        ("QUEUES", [], "live.E007"),
    ],
)
def test_contradiction_is_said(settings: Settings, name: str, value: object, expected: str) -> None:
    assert ids() == set()
    setattr(settings, name, value)
    assert ids() == {expected}


def test_gitlab_without_a_project_is_said_to_do_nothing(settings: Settings) -> None:
    settings.GITLAB_URL = "https://gitlab.example"
    assert ids() == {"live.W001"}
