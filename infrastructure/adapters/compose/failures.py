"""Turns the output of a failed Docker Compose command into our errors, with secrets blanked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.job import NOT_FOUND
from infrastructure.contracts.runtime import PortTaken

BLANK = "***"
SHORTEST_SECRET = 4
LINES_SHOWN = 8

_SETTINGS = re.compile(
    r"permission denied|host key verification failed|unknown (shorthand flag|command)|is not a docker command", re.I
)
# "Bind for 0.0.0.0:80 failed: port is…", "listen tcp4 0.0.0.0:80: bind: address…", "… host port for [::]:80:172.…"
_TAKEN = re.compile(
    r"(?:\d|\]):(\d+)(?:: bind| failed|:[\d.]+:\d+/\w+): (?:port is already alloc|address already in use)"
)
_MAY_PASS = re.compile(
    r"cannot connect to the docker daemon|error during connect|connection (refused|reset)|no such host|i/o timeout"
    r"|tls handshake timeout|unexpected eof|deadline exceeded|temporary failure|toomanyrequests|too many requests"
    r"|dependency failed to start|already in use by container|already in progress|no such container"
    r"|(500|502|503|504) (internal|bad|service|gateway)"
    # The classic builder shares layers between orders; removing another order's image takes them away from a build.
    r"|(unable to find|no such) image:? \"?sha256:|unknown parent image|failed to get digest sha256:",
    re.I,
)


def failure(output: str, errors: str, secrets: Iterable[str], *, code: int = 1) -> OutsideError:
    """The error for the output of a failed command, with every secret blanked."""
    if code == NOT_FOUND:
        return ConfigError("the docker command cannot be run: it is not installed here")
    reason = last_line(errors) or last_line(output) or "docker failed without an error message"
    message = blanked(reason, secrets)[:500]
    if "returned a non-zero code" in reason:
        # The classic builder writes the failed command's output elsewhere.
        return PermanentError(f"{message}; last output: {blanked(_build_output(output), secrets)[-1500:]}")
    if "did not complete successfully" in reason:
        return PermanentError(f"{message}; last output: {blanked(_buildkit_output(errors), secrets)[-1500:]}")
    if taken := _TAKEN.search(reason):
        return PortTaken(message, port=int(taken[1]))
    if _SETTINGS.search(reason):
        return ConfigError(message)
    if _MAY_PASS.search(reason):
        return TransientError(message, retry_in=timedelta(seconds=10) if "dependency failed" in reason else None)
    return PermanentError(message)


def unfinished(output: str) -> str:
    """The container of the classic builder's last step; empty if the builder has removed it."""
    steps = re.findall(r"^ ---> Running in ([0-9a-f]{12})$", output, re.M)
    return steps[-1] if steps and f"Removing intermediate container {steps[-1]}" not in output else ""


def last_lines(text: str) -> str:
    """The end of a text, on one line."""
    lines = [line.strip() for line in _plain(text).splitlines() if line.strip()]
    return " / ".join(lines[-LINES_SHOWN:])


def _build_output(output: str) -> str:
    """The output of the classic builder's last step."""
    return last_lines(re.split(r"^ ---> Running in [0-9a-f]{12}$", output, flags=re.M)[-1])


def _buildkit_output(errors: str) -> str:
    """BuildKit repeats the failed step's lines between two rules; each line begins with its second."""
    return last_lines("\n".join(re.findall(r"^(?:#\d+ )?\d+\.\d+ (.*)$", errors, re.M)))


def blanked(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, nor their lines, nor the way they are written in a compose file."""
    lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    written = lines | {line.replace("$", "$$") for line in lines}
    for line in sorted(written, key=len, reverse=True):
        if len(line) >= SHORTEST_SECRET:
            text = text.replace(line, BLANK)
    return text


def last_line(text: str) -> str:
    lines = [line.strip() for line in _plain(text).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
