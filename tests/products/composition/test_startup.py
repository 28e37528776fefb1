"""What `up` starts of a composition, and what of it may end."""

from __future__ import annotations

from typing import Any

import pytest

from products.composition.startup import startup_of


def startup(**services: dict[str, Any]) -> dict[str, set[str]]:
    """The sets in which the services are, by name; empty ones left out."""
    found = startup_of({"services": services})
    sets = {name: set(getattr(found, name)) for name in ("running", "jobs", "never", "awaited")}
    return {name: members for name, members in sets.items() if members}


@pytest.mark.parametrize("policy", ["always", "unless-stopped"])
def test_service_that_comes_back_has_to_run(policy: str) -> None:
    assert startup(web={"restart": policy}) == {"running": {"web"}}


@pytest.mark.parametrize("service", [{}, {"restart": "no"}, {"restart": "on-failure"}, {"restart": "on-failure:3"}])
def test_service_that_stays_down_after_code_0_is_a_job(service: dict[str, Any]) -> None:
    assert startup(load=service) == {"jobs": {"load"}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("none", "jobs"), ("on-failure", "jobs"), ("any", "running"), (None, "running")],
)
def test_restart_policy_of_deploy_comes_before_restart(condition: str | None, expected: str) -> None:
    policy = {"condition": condition} if condition else {}
    assert startup(web={"restart": "no", "deploy": {"restart_policy": policy}}) == {expected: {"web"}}


def test_job_that_is_waited_for_is_awaited_whatever_its_policy() -> None:
    web = {"restart": "always", "depends_on": {"load": {"condition": "service_completed_successfully"}}}
    assert startup(web=web, load={"restart": "always"}) == {"running": {"web"}, "jobs": {"load"}, "awaited": {"load"}}


@pytest.mark.parametrize(
    "service",
    [{"scale": 0}, {"deploy": {"replicas": 0}}, {"profiles": ["debug"]}, {"provider": {"type": "model"}}],
)
def test_service_that_up_does_not_start_is_not_waited_for(service: dict[str, Any]) -> None:
    spare = {"restart": "always", **service}
    assert startup(web={"restart": "always"}, spare=spare) == {"running": {"web"}, "never": {"spare"}}


def test_service_that_is_not_started_waits_for_nobody() -> None:
    spare = {"scale": 0, "depends_on": {"web": {"condition": "service_completed_successfully"}}}
    assert startup(web={"restart": "always"}, spare=spare) == {"running": {"web"}, "never": {"spare"}}
