"""What `ssh` says, in our words; the ssh command is a script that says it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import (
    HostKeyChanged,
    SshTarget,
    ask,
    bootstrap_of,
    facts_of,
    fingerprint,
    new_key_pair,
)
from infrastructure.adapters.ssh.tunnel import tunnel_to_engine

OURS, THEIRS = new_key_pair("ours"), new_key_pair("the host's")
TARGET = SshTarget(address="192.0.2.7", private_key=OURS.private, host_key=THEIRS.public)


class Ssh:
    """An `ssh` first on the PATH that notes how it was called, and the files it was given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.put("ssh", "")

    def put(self, name: str, script: str) -> None:
        """A program of that name is first on the PATH."""
        program = self._folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def says(self, *, errors: str = "", output: str = "", code: int = 0, then: str = "") -> None:
        for name, text in (("errors", errors), ("output", output)):
            (self._folder / name).write_text(text)
        here = self._folder
        self.put(
            "ssh",
            f"""for word in "$@"; do echo "$word"; done >{here}/words
env >{here}/env
value() {{ sed -n "s/^$1=//p" {here}/words; }}
/bin/cat "$(value IdentityFile)" >{here}/key
stat -L -c %a "$(value IdentityFile)" >{here}/mode
/bin/cat "$(value UserKnownHostsFile)" >{here}/known_hosts
/bin/cat {here}/output
/bin/cat {here}/errors >&2
{then}
exit {code}""",
        )

    def runs_the_command(self) -> None:
        """What is asked of the host is done by this machine's own shell."""
        self.put("ssh", 'for word in "$@"; do command=$word; done; exec sh -c "$command"')

    def noted(self, name: str) -> str:
        return (self._folder / name).read_text()

    @property
    def arguments(self) -> list[str]:
        return self.noted("words").splitlines()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ssh:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("DJANGO_SECRET", "of this site")
    return Ssh(tmp_path / "bin")


def test_only_our_key_and_only_the_pinned_host_key_count(ssh: Ssh) -> None:
    ssh.says(output="Linux\n")
    assert ask(replace(TARGET, port=2222, user="live"), "uname") == "Linux\n"
    message = ssh.arguments
    assert message[:2] == ["-F", "/dev/null"]
    assert message[-7:] == ["-l", "live", "-p", "2222", "--", "192.0.2.7", "uname"]
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "IdentityAgent=none"} <= {*message}
    assert ssh.noted("key") == OURS.private
    assert ssh.noted("mode") == "600\n"
    assert ssh.noted("known_hosts") == f"live-host {' '.join(THEIRS.public.split()[:2])}\n"


def test_no_key_is_on_a_disk_a_command_line_or_in_an_environment(ssh: Ssh) -> None:
    ssh.says()
    ask(TARGET, "true")
    secret = OURS.private.splitlines()[4]
    [identity] = [word for word in ssh.arguments if word.startswith("IdentityFile=")]
    assert identity.startswith(f"IdentityFile=/proc/{os.getpid()}/fd/")
    assert secret not in ssh.noted("words") + ssh.noted("env") + repr(TARGET) + str(TARGET)
    assert "DJANGO_SECRET" not in ssh.noted("env")


CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
The fingerprint for the ED25519 key sent by the remote host is
SHA256:96cLS7Z8m8m3MZ05YK3WkPqTSnIOnnvWESrFfpNWl/g.
Please contact your system administrator.
Host key verification failed.
"""

BORDER: list[tuple[str, type[OutsideError], str]] = [
    (CHANGED, HostKeyChanged, "shows SHA256:96cLS7Z8m8m3MZ05YK3WkPqTSnIOnnvWESrFfpNWl/g, not "),
    (
        "No RSA host key is known for live-host.\nHost key verification failed.",
        HostKeyChanged,
        "no host key of the expected kind",
    ),
    (
        "Unable to negotiate: no matching host key type found. Their offer: ssh-dss",
        HostKeyChanged,
        "of the expected kind",
    ),
    ("root@192.0.2.7: Permission denied (publickey).", ConfigError, "rejected our key"),
    ("Received disconnect: Too many authentication failures", ConfigError, "Too many"),
    ("No user exists for uid 4711", ConfigError, "No user exists"),
    ("ssh: connect to host 192.0.2.7 port 22: Connection refused", TransientError, "Connection refused"),
    ("ssh: connect to host 192.0.2.7 port 22: Connection timed out", TransientError, "timed out"),
    ("ssh: Could not resolve hostname x: Name or service not known", TransientError, "not known"),
    ("Connection closed by 192.0.2.7 port 22", TransientError, "closed by"),
    ("Timeout, server live-host not responding.", TransientError, "server 192.0.2.7 not responding"),
    ("", TransientError, "without an error message"),
]
ASKS: list[Callable[[SshTarget, Path], object]] = [
    lambda target, _: ask(target, "true"),
    lambda target, _: bootstrap_of(target),
    lambda target, _: facts_of(target),
    lambda target, folder: DockerRuntime(work_dir=folder, ssh=target).observe(keys=[]),
    lambda target, folder: DockerRuntime(work_dir=folder, ssh=target).remove(key="live-GL7K3M"),
]


@pytest.mark.parametrize("call", ASKS)
@pytest.mark.parametrize(("errors", "ours", "message"), BORDER, ids=[line[-28:].strip() for line, _, _ in BORDER])
def test_what_ssh_says_decides_whose_turn_it_is(
    ssh: Ssh,
    tmp_path: Path,
    call: Callable[[SshTarget, Path], object],
    errors: str,
    ours: type[OutsideError],
    message: str,
) -> None:
    ssh.says(errors=errors, code=255)
    with pytest.raises(OutsideError) as caught:
        call(TARGET, tmp_path)
    assert type(caught.value) is ours
    assert message in str(caught.value)
    assert "root@192.0.2.7" in str(caught.value)


def test_a_changed_host_key_names_both_and_says_what_to_do(ssh: Ssh) -> None:
    ssh.says(errors=CHANGED, code=255)
    with pytest.raises(HostKeyChanged) as caught:
        ask(TARGET, "true")
    assert str(caught.value).startswith("HOST KEY CHANGED: root@192.0.2.7 shows SHA256:96cLS7Z8")
    assert f"not {fingerprint(THEIRS.public)}. Nothing was sent to it." in str(caught.value)
    assert "ssh-keygen -lf" in str(caught.value)


def test_a_command_that_fails_is_permanent_with_its_last_words(ssh: Ssh) -> None:
    ssh.says(errors="first\ndf: no such disk\n", code=1)
    with pytest.raises(PermanentError, match=r"^root@192\.0\.2\.7: df: no such disk$"):
        ask(TARGET, "df")
    ssh.says(code=3)
    with pytest.raises(PermanentError, match="exit code 3"):
        ask(TARGET, "df")


def test_a_command_that_does_not_end_is_ended(ssh: Ssh) -> None:
    ssh.says(then="sleep 20")
    started = time.monotonic()
    with pytest.raises(TransientError, match=r"did not finish within 0.3 s"):
        ask(TARGET, "sleep", timeout=0.3)
    assert time.monotonic() - started < 5


def test_a_pinned_key_that_is_none_and_a_missing_program_are_matters_of_settings(
    ssh: Ssh, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="is not a public key"):
        ask(replace(TARGET, host_key="rubbish"), "true")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="ssh command cannot be run"):
        ask(TARGET, "true")


@pytest.mark.parametrize(
    ("output", "code", "ours", "message"),
    [
        ("Welcome!\nabsent\n", 0, PermanentError, "has no Docker"),
        ("forbidden\n", 0, ConfigError, "is not allowed to use Docker"),
        ("This account is not available.\n", 1, PermanentError, "cannot run commands"),
    ],
)
def test_what_stands_between_us_and_the_engine_is_said(
    ssh: Ssh, tmp_path: Path, output: str, code: int, ours: type[OutsideError], message: str
) -> None:
    ssh.says(output=output, code=code)
    with pytest.raises(OutsideError, match=message) as caught:
        DockerRuntime(work_dir=tmp_path, ssh=TARGET).test_connection()
    assert type(caught.value) is ours


def test_a_host_that_never_answers_is_given_up(ssh: Ssh) -> None:
    ssh.says(then="sleep 20")
    with pytest.raises(TransientError, match=r"did not answer within 0.4 s"), tunnel_to_engine(TARGET, timeout=0.4):
        pass


def test_the_way_to_the_engine_is_private_and_gone_afterwards(ssh: Ssh) -> None:
    ssh.says(output="Greetings\nready\n", then="exec /bin/cat")
    with tunnel_to_engine(TARGET) as tunnel:
        folder = Path(tunnel.host.removeprefix("unix://")).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert f"{folder}/engine.sock:/var/run/docker.sock" in ssh.arguments
    assert not folder.exists()


WORKER = """
import os, time
from tests.infrastructure.adapters.ssh.test_hosts import TARGET
from infrastructure.adapters.ssh.tunnel import tunnel_to_engine
with tunnel_to_engine(TARGET) as tunnel:
    print(tunnel.host.removeprefix("unix://"), flush=True)
    time.sleep(30)
"""


def test_a_killed_worker_leaves_neither_a_way_in_nor_a_file(ssh: Ssh, tmp_path: Path) -> None:
    ssh.says(output="ready\n", then=f"/bin/cat; touch {tmp_path}/ended")
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=Path.cwd(), stdout=subprocess.PIPE, text=True)
    with worker:
        assert worker.stdout is not None
        folder = Path(worker.stdout.readline().strip()).parent
        assert folder.exists()
        worker.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while (folder.exists() or not (tmp_path / "ended").exists()) and time.monotonic() < end:
        time.sleep(0.05)
    assert (tmp_path / "ended").exists()
    assert not folder.exists()


BOOTING = [
    ("done", "done", "done"),
    ("failed", "error", "failed"),
    ("running", "running", "running"),
    ("running", "error", "failed"),
    ("running", "done", "failed"),
    ("", "running", "running"),
    ("", "not run", "running"),
]


@pytest.mark.parametrize(("mark", "first_boot", "state"), BOOTING)
def test_the_first_boot_is_read_from_our_mark_and_from_cloud_init(
    ssh: Ssh, mark: str, first_boot: str, state: str
) -> None:
    ssh.runs_the_command()
    ssh.put("cat", f"echo '{mark}'" if mark else "exit 1")
    ssh.put("cloud-init", f"""printf '{{\\n "boot_status_code": "x",\\n "status": "{first_boot}"\\n}}\\n'""")
    ssh.put("tail", "echo 'E: Unable to locate package docker.io'")
    bootstrap = bootstrap_of(TARGET)
    assert bootstrap.state == state
    assert bootstrap.log.startswith("E: Unable to locate package docker.io")


@pytest.mark.parametrize("cloud_init", ["exit 127", """printf '{"status": "disabled"}'"""])
def test_a_host_that_cloud_init_never_met_counts_by_its_docker(ssh: Ssh, cloud_init: str) -> None:
    ssh.runs_the_command()
    ssh.put("cat", "exit 1")
    ssh.put("cloud-init", cloud_init)
    bootstrap = bootstrap_of(TARGET)
    if Path("/var/run/docker.sock").is_socket():
        assert bootstrap.state == "done"
    else:
        assert bootstrap.state == "failed"
        assert "no Docker on this host" in bootstrap.log


def test_an_answer_nobody_understands_is_asked_for_again(ssh: Ssh) -> None:
    ssh.says(output="Have a nice day\n")
    with pytest.raises(TransientError, match="did not report the progress"):
        bootstrap_of(TARGET)


def test_a_host_is_described_by_what_it_has(ssh: Ssh) -> None:
    shown = "docker=26.1.5 compose= cpus=4 ram=8123456 disk=41943040 free=20971520"
    ssh.says(output="\n".join([*shown.split(), "system=Debian GNU/Linux 13"]))
    facts = facts_of(TARGET)
    assert (facts.docker, facts.compose, facts.cpus, facts.system) == ("26.1.5", "", 4, "Debian GNU/Linux 13")
    assert (facts.ram_gb, facts.disk_gb, facts.disk_free_gb) == (8.3, 42.9, 21.5)


def test_this_machine_can_be_described_too(ssh: Ssh) -> None:
    ssh.runs_the_command()
    facts = facts_of(TARGET)
    assert facts.cpus >= 1
    assert facts.ram_gb > 0
    assert 0 < facts.disk_free_gb <= facts.disk_gb
