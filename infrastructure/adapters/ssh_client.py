"""Runs the `ssh` program with one key and one pinned host key, and says in our words what came of it.

Nothing of the user's own (`~/.ssh`, an agent, `/etc/ssh/ssh_config`) takes part. Both keys are handed over as files in
memory that end with this process: no disk ever holds them, not even after a crash.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infrastructure.adapters.ssh_keys import bare, fingerprint
from live.lib.errors import ConfigError, OutsideError, PermanentError, TransientError

ALIAS = "live-host"  # the name under which the pinned key is known, whatever the address
ENGINE_SOCKET = "/var/run/docker.sock"
CONNECT_SECONDS = 10
SSH_FAILED = 255

# The session lives as long as its input: when a worker dies, so does its way to the engine.
_HOLD = (
    f"sh -c 'if [ ! -S {ENGINE_SOCKET} ]; then echo absent; elif [ ! -w {ENGINE_SOCKET} ]; then echo forbidden;"
    " else echo ready; exec cat >/dev/null; fi'"
)
_ANSWERS = ("ready", "absent", "forbidden")
# Also after a killed worker nothing is left in /tmp.
_AND_CLEAR = 'folder=$1; shift; "$@"; status=$?; rm -rf "$folder"; exit $status'

_KEY_CHANGED = re.compile(
    r"remote host identification has changed|host key verification failed|no matching host key", re.I
)
_SHOWN = re.compile(r"fingerprint for the \S+ key sent by the remote host is\s+(SHA256:\S+?)\.?\s", re.I)
_SETTINGS = re.compile(r"permission denied|too many authentication failures|no user exists for uid|bad port", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class SshTarget:
    """A host, who we are there, and the one host key it may show."""

    address: str
    port: int = 22
    user: str = "root"
    private_key: str = field(repr=False)
    host_key: str

    def __str__(self) -> str:
        return f"{self.user}@{self.address}" + (f":{self.port}" if self.port != 22 else "")


class HostKeyChanged(PermanentError):
    """The host is not the one we know, or somebody stands between: nothing was sent to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """A socket here that is the engine's there."""

    host: str
    """For `DOCKER_HOST`."""
    lifeline: int
    """Whoever holds this descriptor keeps the way open."""


def run(target: SshTarget, command: str, *, timeout: float) -> str:
    """What the command writes there; raises PermanentError with its last words if it fails."""
    with _options(target, timeout) as options, _started([*options, command], stdin=subprocess.DEVNULL) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"{target} did not finish within {timeout:g} s") from error
    if process.returncode == SSH_FAILED:
        raise refusal(target, errors)
    if process.returncode:
        said = _last_line(errors) or _last_line(output) or f"exit code {process.returncode}"
        raise PermanentError(f"{target}: {said}")
    return output


@contextmanager
def tunnel_to_engine(target: SshTarget, *, timeout: float = 30) -> Iterator[Tunnel]:
    """The host's Docker Engine answers on a socket of ours, for all connections over one.

    One forwarded socket wants nothing on the host but its engine, and no program run per connection.
    """
    folder = Path(tempfile.mkdtemp(prefix="live-ssh-"))
    forward = ("-o", "ExitOnForwardFailure=yes", "-L", f"{folder}/engine.sock:{ENGINE_SOCKET}")
    try:
        with _options(target, timeout, *forward) as options:
            words = ["sh", "-c", _AND_CLEAR, "sh", str(folder), *options, _HOLD]
            with _started(words, stdin=subprocess.PIPE) as process:
                _wait_for_engine(target, process, timeout)
                assert process.stdin is not None  # noqa: S101  (it was asked for)
                yield Tunnel(host=f"unix://{folder}/engine.sock", lifeline=process.stdin.fileno())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refusal(target: SshTarget, errors: str) -> OutsideError:
    """The error that fits what `ssh` has written before it gave up."""
    if _KEY_CHANGED.search(errors):
        return _changed(target, errors)
    if _SETTINGS.search(errors):
        return ConfigError(f"{target} does not let us in with our key: {_last_line(errors)}")
    # ssh names the host by the alias of its key in some of its lines.
    reason = _last_line(errors).replace(ALIAS, target.address) or "ssh failed without a word"
    return TransientError(f"{target} cannot be reached: {reason}")


def _changed(target: SshTarget, errors: str) -> HostKeyChanged:
    found = _SHOWN.search(errors + "\n")
    shown = found[1] if found else "no host key of the kind we know"
    return HostKeyChanged(
        f"HOST KEY CHANGED: {target} shows {shown}, not {fingerprint(target.host_key)}. Nothing was sent to it. "
        "If the server was reinstalled, compare the fingerprint on its console "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and give us its new host key; "
        "if nobody changed it, somebody may stand between."
    )


@contextmanager
def _options(target: SshTarget, timeout: float, *more: str) -> Iterator[list[str]]:
    try:
        known = f"{ALIAS} {bare(target.host_key)}\n"
    except ValueError as error:
        raise ConfigError(f"the host key we have for {target} is not a public key") from error
    with _in_memory(target.private_key.strip() + "\n") as key, _in_memory(known) as known_hosts:
        settings = {
            "BatchMode": "yes",
            "CheckHostIP": "no",
            "ConnectTimeout": f"{max(1, min(CONNECT_SECONDS, int(timeout)))}",
            "ControlMaster": "no",
            "ControlPath": "none",
            "GlobalKnownHostsFile": "/dev/null",
            "HostKeyAlias": ALIAS,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "IdentityFile": key,
            "LogLevel": "ERROR",
            "PreferredAuthentications": "publickey",
            "ServerAliveCountMax": "3",
            "ServerAliveInterval": "10",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "UserKnownHostsFile": known_hosts,
        }
        named = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        where = ["-l", target.user, "-p", str(target.port), "--", target.address]
        yield ["ssh", "-F", "/dev/null", "-T", "-a", "-x", *named, *more, *where]


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """The path of a file that only this user can read and that ends with this process."""
    file = os.memfd_create("live")
    try:
        os.fchmod(file, 0o600)
        os.write(file, text.encode())
        yield f"/proc/{os.getpid()}/fd/{file}"
    finally:
        os.close(file)


@contextmanager
def _started(words: Sequence[str], *, stdin: int) -> Iterator[subprocess.Popen[str]]:
    """The process runs inside; afterwards it has ended, with all its children."""
    try:
        process = subprocess.Popen(  # noqa: S603 (a fixed program; arguments are a list)
            words,
            cwd=Path("/"),
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C"},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(f"the ssh command cannot be run: {error.strerror}") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()


def _wait_for_engine(target: SshTarget, process: subprocess.Popen[str], timeout: float) -> None:
    """Returns when the engine's socket is there; raises for whatever stands in the way."""
    assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018  (they were asked for)
    late = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    late.start()
    try:
        # Before it, a login shell may greet.
        said = next((line.strip() for line in process.stdout if line.strip() in _ANSWERS), "")
        errors = "" if said else process.stderr.read()
    finally:
        late.cancel()
    match said:
        case "ready":
            return
        case "absent":
            raise PermanentError(f"{target} is a host without Docker: there is no {ENGINE_SOCKET}")
        case "forbidden":
            raise ConfigError(f"{target} may not use Docker there: it is not in the group of {ENGINE_SOCKET}")
    if process.wait() == -signal.SIGKILL:
        raise TransientError(f"{target} did not answer within {timeout:g} s")
    if process.returncode == SSH_FAILED:
        raise refusal(target, errors)
    raise PermanentError(f"{target} runs no commands for us: {_last_line(errors) or 'its shell ended at once'}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
