"""Runs the `ssh` program with one key and one pinned host key, and translates its errors.

The user's own configuration (`~/.ssh`, an agent, `/etc/ssh/ssh_config`) is not used. Both keys are passed as files in
memory that end with this process: they are never written to a disk, not even in a crash.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.ssh.keys import bare, fingerprint

ALIAS = "live-host"  # the pinned key's name, independent of the address
CONNECT_SECONDS = 10
SSH_FAILED = 255

_KEY_CHANGED = re.compile(
    r"remote host identification has changed|host key verification failed|no matching host key", re.I
)
_SHOWN = re.compile(r"fingerprint for the \S+ key sent by the remote host is\s+(SHA256:\S+?)\.?\s", re.I)
_SETTINGS = re.compile(r"permission denied|too many authentication failures|no user exists for uid|bad port", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class SshTarget:
    """A host, our login there, and the only accepted host key."""

    address: str
    port: int = 22
    user: str = "root"
    private_key: str = field(repr=False)
    host_key: str

    def __str__(self) -> str:
        return f"{self.user}@{self.address}" + (f":{self.port}" if self.port != 22 else "")


class HostKeyChanged(PermanentError):
    """The host's key is not the expected one: another server, or an attack. Nothing was sent to it."""


@timed_call(OutsideSystem.SSH)
def run(target: SshTarget, command: str, *, timeout: float) -> str:
    """The command's output; raises PermanentError with its last line if it fails."""
    with options_for(target, timeout) as options, _started([*options, command], stdin=subprocess.DEVNULL) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"{target} did not finish within {timeout:g} s") from error
    if process.returncode == SSH_FAILED:
        raise refusal(target, errors)
    if process.returncode:
        reason = last_line(errors) or last_line(output) or f"exit code {process.returncode}"
        raise PermanentError(f"{target}: {reason}")
    return output


def posix(script: str) -> str:
    """The script as a command for any login shell."""
    return "sh -c '" + script.replace("'", "'\\''") + "'"


def refusal(target: SshTarget, errors: str) -> OutsideError:
    """The error for the messages of a failed `ssh`."""
    if _KEY_CHANGED.search(errors):
        return _changed(target, errors)
    if _SETTINGS.search(errors):
        return ConfigError(f"{target} rejected our key: {last_line(errors)}")
    # Some of ssh's messages name the host by the alias of its key.
    reason = last_line(errors).replace(ALIAS, target.address) or "ssh failed without an error message"
    return TransientError(f"{target} cannot be reached: {reason}")


def _changed(target: SshTarget, errors: str) -> HostKeyChanged:
    found = _SHOWN.search(errors + "\n")
    shown = found[1] if found else "no host key of the expected kind"
    return HostKeyChanged(
        f"HOST KEY CHANGED: {target} shows {shown}, not {fingerprint(target.host_key)}. Nothing was sent to it. "
        "If the server was reinstalled, compare the fingerprint on its console "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and enter its new host key; "
        "if nobody changed it, the connection may be intercepted."
    )


@contextmanager
def options_for(target: SshTarget, timeout: float, *more: str) -> Iterator[list[str]]:
    """The `ssh` command line for the host; the keys are in memory until the block ends."""
    try:
        host_line = f"{ALIAS} {bare(target.host_key)}\n"
    except ValueError as error:
        raise ConfigError(f"the stored host key of {target} is not a public key") from error
    with _in_memory(target.private_key.strip() + "\n") as key, _in_memory(host_line) as known_hosts:
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
        options = [item for name, value in settings.items() for item in ("-o", f"{name}={value}")]
        where = ["-l", target.user, "-p", str(target.port), "--", target.address]
        yield ["ssh", "-F", "/dev/null", "-T", "-a", "-x", *options, *more, *where]


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """The path of a file in memory that only this user can read and that ends with this process."""
    file = os.memfd_create("live")
    try:
        os.fchmod(file, 0o600)
        os.write(file, text.encode())
        yield f"/proc/{os.getpid()}/fd/{file}"
    finally:
        os.close(file)


@contextmanager
def _started(command: Sequence[str], *, stdin: int) -> Iterator[subprocess.Popen[str]]:
    """The process runs inside the block; afterwards it has ended, with all its children."""
    process = start(command, stdin=stdin)
    try:
        yield process
    finally:
        end(process)


def start(command: Sequence[str], *, stdin: int) -> subprocess.Popen[str]:
    """A process in a group of its own, with only the environment that `ssh` needs."""
    try:
        return subprocess.Popen(  # noqa: S603 (a fixed program; arguments are a list)
            command,
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


def end(process: subprocess.Popen[str]) -> None:
    """The process has ended, with all its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    close_pipes(process)
    process.wait()


def close_pipes(process: subprocess.Popen[str]) -> None:
    """Close our ends of its pipes; other holders keep theirs."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def last_line(text: str) -> str:
    """The last line that is not blank; empty if there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
