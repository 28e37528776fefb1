"""Whether a composition's containers are what its plan expects, and what to say while they are not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from core.errors import PermanentError, TransientError
from infrastructure.adapters.compose.labels import labels_of
from infrastructure.adapters.compose.plan import LaunchPlan
from infrastructure.adapters.docker.engine import Container, as_services
from infrastructure.contracts.runtime import Composition, InProgress, Service, ServiceState

LOOK_AGAIN = timedelta(seconds=3)
LOOK_AGAIN_AT_ILL = timedelta(seconds=10)
ALL_BUT_HEALTHY = "Waiting until every service is healthy"
ON_THEIR_WAY = (ServiceState.STARTING, ServiceState.RUNNING)
LastWords = Callable[[str], str]


def is_launched(containers: Sequence[Container], composition: Composition, plan: LaunchPlan) -> bool:
    """Every service has its container, made from exactly this composition."""
    all_there = plan.expected <= {container.service for container in containers}
    return all_there and len(current(containers, composition)) == len(containers)


def current(containers: Sequence[Container], composition: Composition) -> list[Container]:
    """The containers that were made from exactly this composition."""
    wanted = labels_of(composition).items()
    return [container for container in containers if wanted <= container.labels.items()]


def done_jobs(containers: Sequence[Container], plan: LaunchPlan, interrupted: Collection[str]) -> frozenset[str]:
    """The jobs that have ended well; one that was `interrupted` may only look so."""
    names = {container.service for container in containers if container.service in plan.jobs}
    unfinished = {container.service for container in containers if not container.has_completed}
    return frozenset(names - unfinished - set(interrupted))


def refuse_failed_jobs(containers: Sequence[Container], plan: LaunchPlan, last_words: LastWords) -> None:
    """Raises PermanentError for a job that has failed and is not started again by itself."""
    failed = [one for one in containers if one.service in plan.once and one.has_failed]
    if failed:
        reasons = [f"job {_trouble(container.as_service)}" for container in failed]
        reasons += [f"{one.service} said: {words}" for one in failed[:2] if (words := last_words(one.service))]
        raise PermanentError("; ".join(reasons))


def doubt_what_failed(before: Sequence[Container]) -> None:
    """Raises for what had failed by itself before it was started again: it runs now, and may be gone in a second."""
    failed = [container for container in before if container.has_failed]
    if failed:
        reasons = "; ".join(_trouble(container.as_service) for container in failed)
        raise TransientError(f"{reasons}; started again", retry_in=LOOK_AGAIN)


def all_ready(containers: Sequence[Container], plan: LaunchPlan, last_words: LastWords) -> Sequence[Service]:
    """The services, if each is as it should be; otherwise the progress, as an error that says to look again."""
    refuse_failed_jobs(containers, plan, last_words)
    missing = sorted(plan.expected - {container.service for container in containers})
    unready = [container.as_service for container in containers if not _is_ready(container, plan)]
    if not unready and not missing:
        return as_services(containers)
    everything = len(containers) + len(missing)
    ready = everything - len(unready) - len(missing)
    only_starting = not missing and all(service.state is ServiceState.STARTING for service in unready)
    message = f"{ready} of {everything} services are healthy; {_progress(unready, missing)}"
    if only_starting:
        raise InProgress(message, progress_note=ALL_BUT_HEALTHY, retry_in=LOOK_AGAIN)
    ill = [service.name for service in unready if service.state not in ON_THEIR_WAY]
    reasons = [f"{name} said: {words}" for name in ill[:2] if (words := last_words(name))]
    raise TransientError("; ".join([message, *reasons]), retry_in=LOOK_AGAIN_AT_ILL)


def _is_ready(container: Container, plan: LaunchPlan) -> bool:
    if container.service in plan.jobs and container.has_completed:
        return True
    return container.service not in plan.awaited and container.as_service.state is ServiceState.RUNNING


def _progress(unready: Sequence[Service], missing: Sequence[str]) -> str:
    waiting = [service.name for service in unready if service.state in ON_THEIR_WAY]
    reasons = [f"waiting for {', '.join(waiting)}"] if waiting else []
    reasons += [_trouble(service) for service in unready if service.state not in ON_THEIR_WAY]
    return "; ".join(reasons + [f"{name} has no container" for name in missing])


def _trouble(service: Service) -> str:
    match service.state:
        case ServiceState.RESTARTING:
            return f"{service.name} keeps restarting (exit code {service.exit_code})"
        case ServiceState.STOPPED | ServiceState.FAILED if service.exit_code is not None:
            return f"{service.name} ended with exit code {service.exit_code}"
        case _:
            return f"{service.name} is {service.state}"
