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

# The session lives as long as its input: when a worker and its launch are gone, so is their way to the engine.
# While it lives it may hold a lock, so that of several worker machines one launches. The lock names the connection's
# own sshd: as long as that lives, so does everything that is forwarded.
_HOLD = f"""
lock={{lock}}
if [ ! -S {ENGINE_SOCKET} ]; then echo absent; exit; fi
if [ ! -w {ENGINE_SOCKET} ]; then echo forbidden; exit; fi
answer=ready
if [ -n "$lock" ] && command -v flock >/dev/null && (: >>"$lock") 2>/dev/null; then
  exec 9>>"$lock"
  if ! flock -n 9; then
    answer=busy
    age=$(( $(date +%s) - $(stat -c %Y "$lock") ))
    if [ "$age" -gt {{stale}} ]; then kill "$(cat "$lock")"; flock -w 5 9 && answer=ready; fi
  fi
  if [ $answer = ready ]; then
    : >"$lock"  # numbers are given away again: an earlier holder must not be meant
    guest=$$
    until case $(cat /proc/$guest/comm) in sshd*) true ;; *) false ;; esac; do
      guest=$(sed -n "s/^PPid:[[:space:]]*//p" /proc/$guest/status)
      if [ "$guest" -le 1 ]; then guest=$$; break; fi
    done
    echo $guest >"$lock"
  else
    exec 9>&-
  fi
fi
echo $answer
exec cat >/dev/null
"""
_FREE = """
lock={lock}
[ -e "$lock" ] || exit 0
if command -v flock >/dev/null; then
  exec 9>>"$lock"
  flock -n 9 || {{ kill "$(cat "$lock")"; flock -w 10 9; }}
fi
rm -f "$lock"
"""
_ANSWERS = ("ready", "busy", "absent", "forbidden")
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


@dataclass(slots=True, kw_only=True)
class Tunnel:
    """A socket here that is the engine's there."""

    host: str
    """For `DOCKER_HOST`."""
    lifeline: int
    """Whoever holds this descriptor keeps the way open."""
    is_alone: bool = True
    """False while another machine of ours holds the lock that was asked for."""
    is_left: bool = False
    """Set, the way stays open after us for as long as anybody holds the lifeline."""


_left: list[subprocess.Popen[str]] = []


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
def tunnel_to_engine(target: SshTarget, *, timeout: float = 30, lock: str = "", stale: float = 900) -> Iterator[Tunnel]:
    """The host's Docker Engine answers on a socket of ours, for all connections over one.

    One forwarded socket wants nothing on the host but its engine, and no program run per connection. `lock` names what
    is to be held on the host meanwhile; whoever holds it for longer than `stale` seconds is taken for gone.
    """
    _left[:] = [process for process in _left if process.poll() is None]
    folder = Path(tempfile.mkdtemp(prefix="live-ssh-"))
    forward = ("-o", "ExitOnForwardFailure=yes", "-L", f"{folder}/engine.sock:{ENGINE_SOCKET}")
    hold = posix(_HOLD.format(lock=_path_of(lock), stale=int(stale)))
    try:
        with _options(target, timeout, *forward) as options:
            process = _start(["sh", "-c", _AND_CLEAR, "sh", str(folder), *options, hold], stdin=subprocess.PIPE)
            way = _way_through(target, process, folder, timeout)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        yield way
    finally:
        if way.is_left:
            _close_pipes(process)
            _left.append(process)
        else:
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)


def _way_through(target: SshTarget, process: subprocess.Popen[str], folder: Path, timeout: float) -> Tunnel:
    try:
        answer = _wait_for_engine(target, process, timeout)
    except BaseException:
        _end(process)
        raise
    assert process.stdin is not None  # noqa: S101  (it was asked for)
    return Tunnel(host=f"unix://{folder}/engine.sock", lifeline=process.stdin.fileno(), is_alone=answer == "ready")


def free_lock(target: SshTarget, lock: str, *, timeout: float = 20) -> None:
    """Nobody holds the lock on the host: whoever did has lost its way to the engine, and so has its launch."""
    run(target, posix(_FREE.format(lock=_path_of(lock))), timeout=timeout)


def _path_of(lock: str) -> str:
    if lock and not re.fullmatch(r"[A-Za-z0-9_-]+", lock):
        raise ValueError(f"'{lock}' cannot name a lock")
    return f"/run/lock/{lock}.lock" if lock else ""


def posix(script: str) -> str:
    """The script for whatever login shell the host has."""
    return "sh -c '" + script.replace("'", "'\\''") + "'"


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
    process = _start(words, stdin=stdin)
    try:
        yield process
    finally:
        _end(process)


def _start(words: Sequence[str], *, stdin: int) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 (a fixed program; arguments are a list)
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


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    _close_pipes(process)
    process.wait()


def _close_pipes(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _wait_for_engine(target: SshTarget, process: subprocess.Popen[str], timeout: float) -> str:
    """ "ready" or "busy" when the engine's socket is there; raises for whatever stands in the way."""
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
        case "ready" | "busy":
            return said
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
