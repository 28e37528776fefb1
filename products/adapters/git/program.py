"""Runs git: without questions, within a time, and with its complaints as our errors."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigError, OutsideError, TransientError
from products.adapters.git.address import without_userinfo

PASSED_ON = (
    *("PATH", "HOME", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
# Nobody is there to answer a question.
QUIET = {
    "GIT_ALLOW_PROTOCOL": "http:https:ssh:git:file",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15",
    "LC_ALL": "C",
}
_SETTINGS = re.compile(
    r"authentication failed|could not read (username|password)|permission denied|access denied|access rights"
    r"|not found|does not exist|does not appear to be a git|not a git repository|host key verification"
    r"|dubious ownership|returned error: 40[0134]|invalid|unsupported protocol|unable to find remote helper"
    r"|couldn't find remote ref",
    re.I,
)


class RepositoryRefused(ConfigError):
    """The repository is not there, or not for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitProgram:
    """git, for one repository; `shown` names it in messages."""

    shown: str
    timeout: float
    header: str = field(default="", repr=False)
    """A header of each HTTP request, such as one that holds a token; it is in no command line."""

    def run(self, *arguments: str, at: Path | None = None) -> bytes:
        """What git prints; raises an OutsideError when it refuses or takes too long."""
        process = self.start(*arguments, at=at)
        try:
            out, complaint = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"{self.shown} did not answer within {self.timeout:.0f} seconds") from error
        finally:
            end_process(process)
        if process.returncode:
            raise self._error(complaint.decode("utf-8", "replace"))
        return out

    def start(self, *arguments: str, at: Path | None = None, reads: bool = False) -> subprocess.Popen[bytes]:
        """git under way; with `reads` it takes requests on its standard input."""
        where = ("--git-dir", str(at)) if at else ()
        try:
            return subprocess.Popen(  # noqa: S603  (no shell; an address comes after `--`)
                ["git", *where, *arguments],  # noqa: S607  (found on the PATH, as the operator set it)
                stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if reads else subprocess.PIPE,
                env=self._environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigError("git is not installed here, and the catalogue is a git repository") from error

    def _environment(self) -> Mapping[str, str]:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | QUIET
        if self.header:
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": self.header,
            }
        return environment

    def _error(self, complaint: str) -> OutsideError:
        lines = [line for line in complaint.splitlines() if line.startswith(("fatal:", "ERROR:", "remote:"))]
        reason = lines[-1].partition(":")[2].strip() if lines else "git failed without a message"
        message = f"{self.shown} cannot be read: {without_userinfo(reason)[:300]}"
        return RepositoryRefused(message) if _SETTINGS.search(complaint) else TransientError(message)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Neither git nor the programs it started for the transport run any more."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
