"""compose.yaml, as Docker Compose itself reads it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from django.conf import settings

from core.outside.compose_binary import compose_binary

ENVIRONMENT = {"POSTGRES_PASSWORD": "p", "LIVE_HOST": "live.example"}


def model(**environment: str) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file."""
    options = ["--file", "compose.yaml", "--env-file", os.devnull]
    command = [compose_binary(), *options, "config", "--format", "json", "--no-env-resolution"]
    surroundings = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=settings.BASE_DIR, env=surroundings, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    ran = model(**ENVIRONMENT)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)["services"]
    return found


@pytest.mark.parametrize("missing", ENVIRONMENT)
def test_setting_that_is_missing_is_named(missing: str) -> None:
    ran = model(**{name: value for name, value in ENVIRONMENT.items() if name != missing})
    assert ran.returncode != 0
    assert missing in ran.stderr


def test_only_the_gateway_is_reached_from_outside(services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if service.get("ports")} == {"gateway"}


def test_everything_starts_again_after_a_reboot_except_the_set_up(services: dict[str, Any]) -> None:
    once = {name for name, service in services.items() if service["restart"] == "no"}
    assert once == {"setup"}
    assert services["web"]["depends_on"]["setup"]["condition"] == "service_completed_successfully"


def test_workers_can_be_scaled_and_have_time_to_finish(services: dict[str, Any]) -> None:
    worker = services["worker"]
    assert "container_name" not in worker
    assert worker["stop_grace_period"] == "1m0s"
    assert settings.WORKER_GRACE < 60
