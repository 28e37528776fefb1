"""Compares a composition's containers with its launch plan, and describes what is missing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from core.errors import PermanentError, TransientError
from infrastructure.adapters.compose.labels import labels_of
from infrastructure.adapters.compose.plan import LaunchPlan
from infrastructure.adapters.docker.container import Container, as_services
from infrastructure.contracts.runtime import Composition, InProgress, Service, ServiceState

RECHECK_AFTER = timedelta(seconds=3)
RECHECK_UNHEALTHY_AFTER = timedelta(seconds=10)
WAITING_FOR_HEALTH = "Waiting until every service is healthy"
IN_PROGRESS = (ServiceState.STARTING, ServiceState.RUNNING)
LastOutput = Callable[[str], str]


def is_launched(containers: Sequence[Container], composition: Composition, plan: LaunchPlan) -> bool:
    """Every service has a container, created from exactly this composition."""
    all_there = plan.expected <= {container.service for container in containers}
    return all_there and len(current(containers, composition)) == len(containers)


def current(containers: Sequence[Container], composition: Composition) -> list[Container]:
    """The containers that were created from exactly this composition."""
    wanted = labels_of(composition).items()
    return [container for container in containers if wanted <= container.labels.items()]


def done_jobs(containers: Sequence[Container], plan: LaunchPlan, interrupted: Collection[str]) -> frozenset[str]:
    """The jobs that have ended with success; an `interrupted` job may only appear so."""
    names = {container.service for container in containers if container.service in plan.jobs}
    unfinished = {container.service for container in containers if not container.has_completed}
    return frozenset(names - unfinished - set(interrupted))


def refuse_failed_jobs(containers: Sequence[Container], plan: LaunchPlan, last_output: LastOutput) -> None:
    """Raises PermanentError for a job that has failed and is not restarted automatically."""
    failed = [job for job in containers if job.service in plan.once and job.has_failed]
    if failed:
        reasons = [f"job {_problem(job.as_service)}" for job in failed]
        reasons += [f"last output of {job.service}: {text}" for job in failed[:2] if (text := last_output(job.service))]
        raise PermanentError("; ".join(reasons))


def recheck_restarted(before: Sequence[Container]) -> None:
    """Raises TransientError for containers that had failed before this start: they may fail again in a second."""
    failed = [container for container in before if container.has_failed]
    if failed:
        reasons = "; ".join(_problem(container.as_service) for container in failed)
        raise TransientError(f"{reasons}; restarted", retry_in=RECHECK_AFTER)


def all_ready(containers: Sequence[Container], plan: LaunchPlan, last_output: LastOutput) -> Sequence[Service]:
    """The services, if all are ready; otherwise raises an error with the progress, to be checked again later."""
    refuse_failed_jobs(containers, plan, last_output)
    missing = sorted(plan.expected - {container.service for container in containers})
    unready = [container.as_service for container in containers if not _is_ready(container, plan)]
    if not unready and not missing:
        return as_services(containers)
    everything = len(containers) + len(missing)
    ready = everything - len(unready) - len(missing)
    only_starting = not missing and all(service.state is ServiceState.STARTING for service in unready)
    message = f"{ready} of {everything} services are healthy; {_progress(unready, missing)}"
    if only_starting:
        raise InProgress(message, progress_note=WAITING_FOR_HEALTH, retry_in=RECHECK_AFTER)
    unhealthy = [service.name for service in unready if service.state not in IN_PROGRESS]
    reasons = [f"last output of {name}: {text}" for name in unhealthy[:2] if (text := last_output(name))]
    raise TransientError("; ".join([message, *reasons]), retry_in=RECHECK_UNHEALTHY_AFTER)


def _is_ready(container: Container, plan: LaunchPlan) -> bool:
    if container.service in plan.jobs and container.has_completed:
        return True
    return container.service not in plan.awaited and container.as_service.state is ServiceState.RUNNING


def _progress(unready: Sequence[Service], missing: Sequence[str]) -> str:
    waiting = [service.name for service in unready if service.state in IN_PROGRESS]
    reasons = [f"waiting for {', '.join(waiting)}"] if waiting else []
    reasons += [_problem(service) for service in unready if service.state not in IN_PROGRESS]
    return "; ".join(reasons + [f"{name} has no container" for name in missing])


def _problem(service: Service) -> str:
    match service.state:
        case ServiceState.RESTARTING:
            return f"{service.name} keeps restarting (exit code {service.exit_code})"
        case ServiceState.STOPPED | ServiceState.FAILED if service.exit_code is not None:
            return f"{service.name} ended with exit code {service.exit_code}"
        case _:
            return f"{service.name} is {service.state}"
