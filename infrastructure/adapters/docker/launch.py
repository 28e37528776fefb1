"""Launches and stops that continue between visits: started once, then checked until they end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.call_times.counting import CallOutcome, OutsideSystem, count_call, outcome_of_error
from core.errors import OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.cli import ComposeCli
from infrastructure.adapters.compose.failures import blanked, failure, last_lines, unfinished
from infrastructure.adapters.compose.folder import (
    clear_abandoned,
    held_folder,
    take_slot,
    write_launched,
    write_release,
)
from infrastructure.adapters.compose.job import Job, find_job
from infrastructure.adapters.compose.labels import labels_of
from infrastructure.adapters.compose.plan import LaunchPlan, launch_text, plan_of
from infrastructure.adapters.compose.progress import Stage, stage_of
from infrastructure.adapters.docker.engine import DockerEngine
from infrastructure.adapters.docker.order_volumes import carry_files
from infrastructure.adapters.ssh.tunnel import Tunnel
from infrastructure.contracts.runtime import Composition, InProgress, Interrupted
from products.adapters.compose.config import ComposeConfig, ComposeRefused
from products.compose_policy import judge_model

LINGER = 12.0
"""Seconds that one visit waits for a launch or a stop; most end sooner."""
LONG = 30.0
"""Seconds after which visits no longer wait for a launch."""
AT_ONCE = 8
MIN_RECHECK, MAX_RECHECK = 1.0, 5.0
RETRY_WHEN_BUSY = timedelta(seconds=10)
RETRY_AFTER_KILL = timedelta(seconds=5)
STOPPING = "stop"
MAX_OUTPUT = 1000

_FAILED_SERVICE = re.compile(
    r"dependency failed to start: container (?P<container>\S+) is unhealthy"
    r"|service \"(?P<service>[^\"]+)\" didn't complete successfully"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A reachable engine."""

    engine: DockerEngine
    cli: ComposeCli
    tunnel: Tunnel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launches:
    """The running launches of one runtime on this machine; never two of one key, nor more than `at_once`."""

    work_dir: Path
    reach: Callable[[], AbstractContextManager[Reached]]
    name: str = ""
    """The engine's name in messages, where its address is meaningless."""
    timeout: float
    linger: float
    at_once: int

    def resume(self, key: str, *, mark: str, secrets: Iterable[str] = ()) -> bool:
        """No job of `key` is running; True if one has just succeeded.

        Raises InProgress, Interrupted, or the job's error. A job with another purpose is aborted, except a stop, which
        is finished first.
        """
        job = find_job(self.work_dir, key)
        if job is None:
            return False
        if job.mark not in (mark, STOPPING):
            self.abort(key)
            return False
        self._wait_for(job, key)
        self._finish(job, key, secrets)
        return job.mark == mark

    def is_launching(self, composition: Composition) -> bool:
        """True while a launch of exactly this composition is under way, so that its images are dealt with."""
        job = find_job(self.work_dir, composition.key)
        return job is not None and job.mark == mark_of(composition)

    def plan(self, composition: Composition) -> LaunchPlan:
        """The launch plan, from Docker Compose's reading of the release; raises PermanentError if it is not allowed."""
        secrets = secrets_of(composition)
        with held_folder(self.work_dir, composition.key) as folder:
            write_release(folder, composition)
            try:
                resolved = ComposeConfig().read_folder(
                    folder.product, env_file=folder.env_file, project=project_of(composition.key)
                )
            except ComposeRefused as error:
                message = blanked(str(error), secrets)[:MAX_OUTPUT]
                raise PermanentError(f"Docker Compose refuses the release: {message}") from error
            violations = judge_model(resolved.model, trusted=composition.is_trusted, root=resolved.root)
            if violations:
                message = blanked("; ".join(str(violation) for violation in violations), secrets)[:MAX_OUTPUT]
                raise PermanentError(f"The release asks for something that is not allowed: {message}")
            return plan_of(resolved.model, composition, folder.product)

    def launch(
        self, at: Reached, composition: Composition, plan: LaunchPlan, *, build: bool, without: Collection[str] = ()
    ) -> None:
        """Bring the composition up, `without` the jobs that are done; raises InProgress until then."""
        key = composition.key
        clear_abandoned(self.work_dir)
        slot = self._take_slot(at)
        try:
            with held_folder(self.work_dir, key) as folder:
                write_release(folder, composition)
                classic = build and not at.cli.has_buildkit()
                files_root = carry_files(at.engine, project_of(key), key, plan.files) if plan.files else ""
                text = launch_text(plan, composition, product=folder.product, files_root=files_root, classic=classic)
                write_launched(folder, text)
                job = at.cli.start_up(
                    project_of(key),
                    folder,
                    build=build,
                    classic=classic,
                    mark=mark_of(composition),
                    slot=slot,
                    services=_selected(plan, without),
                )
        finally:
            os.close(slot)
        self._attend(at, job, key, secrets_of(composition))

    def prepare(self, at: Reached, composition: Composition, plan: LaunchPlan, *, pull: Sequence[str]) -> None:
        """Build what is built and pull `pull`, touching nothing that runs; raises InProgress until then."""
        key, has_builds = composition.key, any("build" in service for service in plan.model["services"].values())
        clear_abandoned(self.work_dir)
        slot = self._take_slot(at)
        try:
            with held_folder(self.work_dir, key) as folder:
                write_release(folder, composition)
                classic = has_builds and not at.cli.has_buildkit()
                write_launched(folder, launch_text(plan, composition, product=folder.product, classic=classic))
                job = at.cli.start_images(
                    project_of(key),
                    folder,
                    build=has_builds,
                    pull=pull,
                    classic=classic,
                    mark=images_mark_of(composition),
                    slot=slot,
                )
        finally:
            os.close(slot)
        self._attend(at, job, key, secrets_of(composition))

    def stop(self, at: Reached, key: str) -> None:
        """Stop the containers; raises InProgress until then."""
        with held_folder(self.work_dir, key) as folder:
            job = at.cli.start_stop(project_of(key), folder, mark=STOPPING)
        self._attend(at, job, key, ())

    def abort(self, key: str) -> None:
        """No job of `key` is running on this machine."""
        if job := find_job(self.work_dir, key):
            job.stop()
            self._clear(job)

    def last_output(self, at: Reached, composition: Composition, service: str) -> str:
        """The last output of a service, or of its health check, with secrets blanked."""
        lines = last_lines(at.engine.last_output(project_of(composition.key), service))
        return blanked(lines, secrets_of(composition))[-MAX_OUTPUT:]

    def _take_slot(self, at: Reached) -> int:
        if at.tunnel and not at.tunnel.is_alone:
            raise TransientError("another worker machine is still working on it", retry_in=RETRY_WHEN_BUSY)
        return take_slot(self.work_dir, at_once=self.at_once)

    def _attend(self, at: Reached, job: Job, key: str, secrets: Iterable[str]) -> None:
        if at.tunnel:
            # Whatever happens to this visit, the job keeps its connection.
            at.tunnel.is_left = True
        self._wait_for(job, key)
        if at.tunnel:
            at.tunnel.is_left = False
        self._finish(job, key, secrets)

    def _wait_for(self, job: Job, key: str) -> None:
        """Return once the job has ended; raises InProgress if it takes longer than a visit should."""
        is_long = job.age > LONG
        if job.ends_within(0 if is_long else self.linger):
            return
        if job.age > self.timeout:
            count_call(OutsideSystem.COMPOSE, CallOutcome.TRANSIENT, job.duration)
            self.abort(key)
            raise Interrupted(f"docker did not finish within {self.timeout:g} s")
        stage = _stage(job, key)
        raise InProgress(stage.message, progress_note=stage.progress_note, retry_in=_recheck_in(job), is_bounded=True)

    def _finish(self, job: Job, key: str, secrets: Iterable[str]) -> None:
        """Clean up an ended job; raises if it failed or was killed."""
        code = job.code
        output, errors = (self._named(text, job) for text in (job.output, job.errors))
        error = failure(output, errors, secrets, code=code) if code else None
        reason = self._reason_of_failure(key, errors, secrets) if error else ""
        count_call(OutsideSystem.COMPOSE, _outcome(code, error), job.duration)
        self._clear(job)
        if code is None:
            raise Interrupted("docker was killed before it finished", retry_in=RETRY_AFTER_KILL)
        if error is not None:
            error.args = (f"{error}{reason}",)
            raise error

    def _clear(self, job: Job) -> None:
        if container := unfinished(job.output):
            # It holds the build's arguments; otherwise only the removal of the order would find it.
            with self.reach() as at:
                at.engine.remove_container(container)
        job.discard()

    def _reason_of_failure(self, key: str, errors: str, secrets: Iterable[str]) -> str:
        """The last output of the service that stopped the launch: an unhealthy one, or a failed job."""
        if not (found := _FAILED_SERVICE.search(errors)):
            return ""
        project = project_of(key)
        service = found["service"] or re.sub(r"-\d+$", "", found["container"].removeprefix(f"{project}-"))
        try:
            with self.reach() as at:
                lines = last_lines(at.engine.last_output(project, service))
        except OutsideError:
            return ""
        return f"; last output: {blanked(lines, secrets)[-MAX_OUTPUT:]}" if lines else ""

    def _named(self, text: str, job: Job) -> str:
        text = text.replace(f"{job.path}/product/", "")
        return text.replace(job.host, self.name) if self.name and job.host else text


def _selected(plan: LaunchPlan, without: Collection[str]) -> Sequence[str]:
    """The services to start; empty for all: Compose would even pull the images of those it does not start."""
    wanted = plan.expected - set(without)
    return () if wanted == set(plan.model["services"]) else sorted(wanted)


def project_of(key: str) -> str:
    """The key as a Compose project name, which allows no capitals."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", key):
        raise ValueError(f"'{key}' cannot name a composition")
    return key.lower()


def mark_of(composition: Composition) -> str:
    """Identifies what is wanted without revealing the settings."""
    return " ".join(labels_of(composition).values())


def images_mark_of(composition: Composition) -> str:
    """Identifies the preparation of the images of what is wanted."""
    return f"images {mark_of(composition)}"


def secrets_of(composition: Composition) -> list[str]:
    """The values that no message may repeat."""
    return [value for name, value in composition.environment.items() if not name.startswith("LIVE_")]


def _outcome(code: int | None, error: OutsideError | None) -> CallOutcome:
    if error is not None:
        return outcome_of_error(error)
    return CallOutcome.OK if code == 0 else CallOutcome.TRANSIENT  # without a code it was killed


def _recheck_in(job: Job) -> timedelta:
    """A twentieth of the job's age, so that the delay at its end is small."""
    return timedelta(seconds=min(max(job.age / 20, MIN_RECHECK), MAX_RECHECK))


def _stage(job: Job, key: str) -> Stage:
    if job.mark == STOPPING:
        return Stage(message="Stopping the services", progress_note="Stopping the services")
    return stage_of(job.output, job.errors, project=project_of(key))
