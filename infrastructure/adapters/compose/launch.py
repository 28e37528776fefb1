"""Launches and stops that outlive the visit that began them: begun once, looked in on, and settled."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.errors import OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.cli import ComposeCli
from infrastructure.adapters.compose.failures import blanked, failure, last_lines, unfinished
from infrastructure.adapters.compose.folder import (
    clear_forgotten,
    held_folder,
    take_turn,
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
"""Seconds that one visit stays with a launch or a stop; most end within."""
LONG = 30.0
"""Seconds after which a launch is a long one, and no visit stays with it."""
AT_ONCE = 8
LOOK_IN_SOONEST, LOOK_IN_LATEST = 1.0, 5.0
ELSEWHERE = timedelta(seconds=10)
AFTER_A_KILL = timedelta(seconds=5)
STOPPING = "stop"
SAID_AT_MOST = 1000

_IN_TROUBLE = re.compile(
    r"dependency failed to start: container (?P<container>\S+) is unhealthy"
    r"|service \"(?P<service>[^\"]+)\" didn't complete successfully"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An engine that can be spoken to now."""

    engine: DockerEngine
    cli: ComposeCli
    tunnel: Tunnel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launches:
    """The launches of one runtime that are under way on this machine; never two of one key, nor more than `at_once`."""

    work_dir: Path
    reach: Callable[[], AbstractContextManager[Reached]]
    name: str = ""
    """What messages call the engine, where its address says nothing."""
    timeout: float
    linger: float
    at_once: int

    def go_on(self, key: str, *, mark: str, secrets: Iterable[str] = ()) -> bool:
        """No job of `key` is under way; True if one has just ended well.

        Raises InProgress, Interrupted, or how it failed. One that was begun for something else is broken off; but what
        is being stopped is stopped first.
        """
        job = find_job(self.work_dir, key)
        if job is None:
            return False
        if job.mark not in (mark, STOPPING):
            self.break_off(key)
            return False
        self._stay_with(job, key)
        self._settle(job, key, secrets)
        return job.mark == mark

    def plan(self, composition: Composition) -> LaunchPlan:
        """What is to be launched, as Docker Compose understands it; raises PermanentError if it may not be."""
        secrets = secrets_of(composition)
        with held_folder(self.work_dir, composition.key) as folder:
            write_release(folder, composition)
            try:
                resolved = ComposeConfig().read_folder(
                    folder.product, env_file=folder.env_file, project=project_of(composition.key)
                )
            except ComposeRefused as error:
                words = blanked(str(error), secrets)[:SAID_AT_MOST]
                raise PermanentError(f"Docker Compose refuses the release: {words}") from error
            violations = judge_model(resolved.model, trusted=composition.is_trusted, root=resolved.root)
            if violations:
                words = blanked("; ".join(str(violation) for violation in violations), secrets)[:SAID_AT_MOST]
                raise PermanentError(f"The release asks for something that is not allowed: {words}")
            return plan_of(resolved.model, composition, folder.product)

    def launch(
        self, at: Reached, composition: Composition, plan: LaunchPlan, *, build: bool, without: Collection[str] = ()
    ) -> None:
        """The composition has been brought up, `without` its jobs that are done; raises InProgress while that takes."""
        key = composition.key
        clear_forgotten(self.work_dir)
        turn = self._turn(at)
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
                    turn=turn,
                    services=_selected(plan, without),
                )
        finally:
            os.close(turn)
        self._finish(at, job, key, secrets_of(composition))

    def stop(self, at: Reached, key: str) -> None:
        """The containers have been stopped; raises InProgress while that takes its time."""
        with held_folder(self.work_dir, key) as folder:
            job = at.cli.start_stop(project_of(key), folder, mark=STOPPING)
        self._finish(at, job, key, ())

    def break_off(self, key: str) -> None:
        """Nothing of `key` is under way from this machine."""
        if job := find_job(self.work_dir, key):
            job.stop()
            self._clear(job)

    def last_words(self, at: Reached, composition: Composition, service: str) -> str:
        """What a service in trouble, or its health check, said last."""
        lines = last_lines(at.engine.last_words(project_of(composition.key), service))
        return blanked(lines, secrets_of(composition))[-SAID_AT_MOST:]

    def _turn(self, at: Reached) -> int:
        if at.tunnel and not at.tunnel.is_alone:
            raise TransientError("another worker machine is still busy with it", retry_in=ELSEWHERE)
        return take_turn(self.work_dir, at_once=self.at_once)

    def _finish(self, at: Reached, job: Job, key: str, secrets: Iterable[str]) -> None:
        if at.tunnel:
            # Whatever happens to this visit, the job keeps its way.
            at.tunnel.is_left = True
        self._stay_with(job, key)
        if at.tunnel:
            at.tunnel.is_left = False
        self._settle(job, key, secrets)

    def _stay_with(self, job: Job, key: str) -> None:
        """Returns once the job has ended; raises InProgress when it takes longer than a visit should."""
        is_long = job.age > LONG
        if job.ends_within(0 if is_long else self.linger):
            return
        if job.age > self.timeout:
            self.break_off(key)
            raise Interrupted(f"docker did not finish within {self.timeout:g} s")
        stage = _stage(job, key)
        raise InProgress(stage.message, progress_note=stage.progress_note, retry_in=_rest(job), is_bounded=True)

    def _settle(self, job: Job, key: str, secrets: Iterable[str]) -> None:
        """Nothing is left of an ended job; raises if it failed, or was killed."""
        code = job.code
        output, errors = (self._named(text, job) for text in (job.output, job.errors))
        error = failure(output, errors, secrets, code=code) if code else None
        reason = self._why_in_trouble(key, errors, secrets) if error else ""
        self._clear(job)
        if code is None:
            raise Interrupted("docker was killed before it had finished", retry_in=AFTER_A_KILL)
        if error is not None:
            error.args = (f"{error}{reason}",)
            raise error

    def _clear(self, job: Job) -> None:
        if container := unfinished(job.output):
            # It holds the build's arguments; only a removal of the whole order would find it later.
            with self.reach() as at:
                at.engine.remove_container(container)
        job.discard()

    def _why_in_trouble(self, key: str, errors: str, secrets: Iterable[str]) -> str:
        """What the service that held the launch up has written: one that is unhealthy, or a job that failed."""
        if not (found := _IN_TROUBLE.search(errors)):
            return ""
        project = project_of(key)
        service = found["service"] or re.sub(r"-\d+$", "", found["container"].removeprefix(f"{project}-"))
        try:
            with self.reach() as at:
                lines = last_lines(at.engine.last_words(project, service))
        except OutsideError:
            return ""
        return f"; it said: {blanked(lines, secrets)[-SAID_AT_MOST:]}" if lines else ""

    def _named(self, text: str, job: Job) -> str:
        text = text.replace(f"{job.path}/product/", "")
        return text.replace(job.host, self.name) if self.name and job.host else text


def _selected(plan: LaunchPlan, without: Collection[str]) -> Sequence[str]:
    """The services to be started; empty for all: Compose would even fetch the images of those it does not start."""
    wanted = plan.expected - set(without)
    return () if wanted == set(plan.model["services"]) else sorted(wanted)


def project_of(key: str) -> str:
    """The name Compose knows the key by: it allows no capitals."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", key):
        raise ValueError(f"'{key}' cannot name a composition")
    return key.lower()


def mark_of(composition: Composition) -> str:
    """The same for as long as the same is wanted; tells nothing of the settings."""
    return " ".join(labels_of(composition).values())


def secrets_of(composition: Composition) -> list[str]:
    """What no message may repeat."""
    return [value for name, value in composition.environment.items() if not name.startswith("LIVE_")]


def _rest(job: Job) -> timedelta:
    """A twentieth of what it has taken: what the last look comes late is little beside the whole."""
    return timedelta(seconds=min(max(job.age / 20, LOOK_IN_SOONEST), LOOK_IN_LATEST))


def _stage(job: Job, key: str) -> Stage:
    if job.mark == STOPPING:
        return Stage(message="Stopping the services", progress_note="Stopping the services")
    return stage_of(job.output, job.errors, project=project_of(key))
