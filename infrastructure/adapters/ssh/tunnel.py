"""The tunnel to a host's engine: its socket forwarded over one connection, and a lock there for launches.

Even after a killed worker nothing of it is left, here or there.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, PermanentError, TransientError
from infrastructure.adapters.ssh.client import (
    SSH_FAILED,
    SshTarget,
    close_pipes,
    end,
    last_line,
    options_for,
    posix,
    refusal,
    run,
    start,
)

ENGINE_SOCKET = "/var/run/docker.sock"

# The session lasts as long as its input: it ends with the worker and its launch. Meanwhile it may hold a lock, so that
# only one of several worker machines launches. The lock names the connection's own sshd: while that is running, so is
# everything that is forwarded.
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
    : >"$lock"  # process ids are reused: an earlier holder's must not stay
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
# Even after a killed worker nothing is left in /tmp.
_AND_CLEAR = 'folder=$1; shift; "$@"; status=$?; rm -rf "$folder"; exit $status'


@dataclass(slots=True, kw_only=True)
class Tunnel:
    """A local socket that is forwarded to the engine's."""

    host: str
    """For `DOCKER_HOST`."""
    lifeline: int
    """The tunnel stays open while any process holds this descriptor."""
    is_alone: bool = True
    """False while another worker machine holds the requested lock."""
    is_left: bool = False
    """If set, the tunnel stays open after the block for as long as any process holds the lifeline."""


_left: list[subprocess.Popen[str]] = []


@contextmanager
def tunnel_to_engine(target: SshTarget, *, timeout: float = 30, lock: str = "", stale: float = 900) -> Iterator[Tunnel]:
    """The host's Docker Engine answers on a local socket; all connections to it share one SSH connection.

    A forwarded socket needs nothing on the host but the engine, and no program run per connection. `lock` names a lock
    to hold on the host meanwhile; a holder of more than `stale` seconds is considered dead.
    """
    _left[:] = [process for process in _left if process.poll() is None]
    folder = Path(tempfile.mkdtemp(prefix="live-ssh-"))
    forward = ("-o", "ExitOnForwardFailure=yes", "-L", f"{folder}/engine.sock:{ENGINE_SOCKET}")
    hold = posix(_HOLD.format(lock=_path_of(lock), stale=int(stale)))
    try:
        with options_for(target, timeout, *forward) as options:
            process = start(["sh", "-c", _AND_CLEAR, "sh", str(folder), *options, hold], stdin=subprocess.PIPE)
            tunnel = _open_tunnel(target, process, folder, timeout)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        yield tunnel
    finally:
        if tunnel.is_left:
            close_pipes(process)
            _left.append(process)
        else:
            end(process)
            shutil.rmtree(folder, ignore_errors=True)


@timed_call(OutsideSystem.SSH)
def _open_tunnel(target: SshTarget, process: subprocess.Popen[str], folder: Path, timeout: float) -> Tunnel:
    try:
        answer = _wait_for_engine(target, process, timeout)
    except BaseException:
        end(process)
        raise
    assert process.stdin is not None  # noqa: S101  (it is a pipe)
    return Tunnel(host=f"unix://{folder}/engine.sock", lifeline=process.stdin.fileno(), is_alone=answer == "ready")


def free_lock(target: SshTarget, lock: str, *, timeout: float = 20) -> None:
    """Nobody holds the lock on the host; a previous holder and its launch have lost their tunnel."""
    run(target, posix(_FREE.format(lock=_path_of(lock))), timeout=timeout)


def _path_of(lock: str) -> str:
    if lock and not re.fullmatch(r"[A-Za-z0-9_-]+", lock):
        raise ValueError(f"'{lock}' cannot name a lock")
    return f"/run/lock/{lock}.lock" if lock else ""


def _wait_for_engine(target: SshTarget, process: subprocess.Popen[str], timeout: float) -> str:
    """ "ready" or "busy" once the engine's socket is available; raises otherwise."""
    assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018  (they are pipes)
    late = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    late.start()
    try:
        # A login shell may print a greeting first.
        answer = next((line.strip() for line in process.stdout if line.strip() in _ANSWERS), "")
        errors = "" if answer else process.stderr.read()
    finally:
        late.cancel()
    match answer:
        case "ready" | "busy":
            return answer
        case "absent":
            raise PermanentError(f"{target} has no Docker: {ENGINE_SOCKET} does not exist")
        case "forbidden":
            raise ConfigError(f"{target} is not allowed to use Docker: the user is not in the group of {ENGINE_SOCKET}")
    if process.wait() == -signal.SIGKILL:
        raise TransientError(f"{target} did not answer within {timeout:g} s")
    if process.returncode == SSH_FAILED:
        raise refusal(target, errors)
    raise PermanentError(f"{target} cannot run commands: {last_line(errors) or 'its shell ended at once'}")
