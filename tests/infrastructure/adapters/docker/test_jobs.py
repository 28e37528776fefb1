"""Jobs among a composition's services: run once, done when they have ended well, and said when they have not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from core.errors import PermanentError, TransientError
from infrastructure.adapters.compose.plan import LaunchPlan
from infrastructure.adapters.docker.container import Container
from infrastructure.adapters.docker.readiness import all_ready, done_jobs, refuse_failed_jobs
from infrastructure.contracts.runtime import ServiceState


def plan(*, running: Iterable[str] = (), jobs: Iterable[str] = (), awaited: Iterable[str] = ()) -> LaunchPlan:
    names = frozenset(jobs) | frozenset(awaited)
    return LaunchPlan(
        model={}, running=frozenset(running), jobs=names, awaited=frozenset(awaited), once=names, mounts={}, files=b""
    )


def container(service: str, status: str, code: int | None = None, *, job: bool = True) -> Container:
    labels = {"live.job": "once"} if job else {}
    return Container(service=service, status=status, health="", exit_code=code, image="x", labels=labels)


WEB = container("web", "running", job=False)


def quiet(service: str) -> str:
    return ""


def states(*containers: Container, expected: LaunchPlan) -> dict[str, ServiceState]:
    return {service.name: service.state for service in all_ready(containers, expected, quiet)}


def test_a_job_that_ended_well_is_done_and_holds_nothing_back() -> None:
    services = states(WEB, container("load", "exited", 0), expected=plan(running=["web"], jobs=["load"]))
    assert services == {"web": ServiceState.RUNNING, "load": ServiceState.DONE}


def test_a_job_at_work_holds_nothing_back_unless_another_service_waits_for_it() -> None:
    at_work = container("load", "running")
    services = states(WEB, at_work, expected=plan(running=["web"], jobs=["load"]))
    assert services == {"web": ServiceState.RUNNING, "load": ServiceState.RUNNING}
    with pytest.raises(TransientError, match="1 of 2 services are healthy; waiting for load"):
        all_ready([WEB, at_work], plan(running=["web"], awaited=["load"]), quiet)


def test_a_job_that_failed_says_so_with_its_last_words() -> None:
    failed = container("load", "exited", 3)
    assert failed.as_service.state is ServiceState.FAILED
    with pytest.raises(PermanentError) as caught:
        all_ready([WEB, failed], plan(running=["web"], jobs=["load"]), lambda service: "no such table")
    assert str(caught.value) == "job load ended with exit code 3; last output of load: no such table"


def test_a_job_that_a_stop_ended_has_neither_failed_nor_is_it_done() -> None:
    stopped = container("load", "exited", 143)
    assert stopped.as_service.state is ServiceState.STOPPED
    refuse_failed_jobs([stopped], plan(jobs=["load"]), quiet)
    assert done_jobs([stopped], plan(jobs=["load"]), ()) == frozenset()


def test_what_was_at_work_when_it_was_stopped_only_looks_done() -> None:
    ended = [container("load", "exited", 0), container("worker", "exited", 0)]
    assert done_jobs(ended, plan(jobs=["load", "worker"]), {"worker"}) == {"load"}


def test_a_job_of_several_containers_is_done_with_the_last_of_them() -> None:
    two = [container("load", "exited", 0), container("load", "running")]
    assert done_jobs(two, plan(jobs=["load"]), ()) == frozenset()


def test_a_service_that_should_run_is_not_done_by_ending_well() -> None:
    with pytest.raises(TransientError, match="web ended with exit code 0"):
        all_ready([container("web", "exited", 0, job=False)], plan(running=["web"]), quiet)
