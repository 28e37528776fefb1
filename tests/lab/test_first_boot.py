"""The user-data of a new server, taken by Debian 13's own cloud-init: valid, unattended, and reached by pinned keys."""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_connection

import pytest

from core.errors import TransientError
from infrastructure.adapters.ssh.hosts import (
    Bootstrap,
    HostKeyChanged,
    SshTarget,
    ask,
    bootstrap_of,
    facts_of,
    new_key_pair,
)
from infrastructure.cloud_init import render_user_data
from tests.lab.hosts import lab_hosts

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

KEY = "live-GL7K3M"
IMAGE = "live-lab-first-boot"
ZABBIX = "172.17.0.1"


def docker(*message: str) -> str:
    return subprocess.run(["docker", *message], check=True, capture_output=True, text=True, timeout=120).stdout.strip()


@dataclass
class Server:
    """A server in its first boot."""

    target: SshTarget
    seed: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    seed = tmp_path_factory.mktemp("seed")
    ours, theirs = new_key_pair(KEY), new_key_pair(f"host of {KEY}")
    text = render_user_data(key=KEY, host_key=theirs, authorized_key=ours.public, zabbix_server=ZABBIX)
    (seed / "user-data").write_text(text)
    (seed / "meta-data").write_text(f"instance-id: {KEY}\n")
    where = f"{seed}:/var/lib/cloud/seed/nocloud:ro"
    container = docker("run", "--detach", "--rm", "--cap-add", "NET_ADMIN", "--volume", where, IMAGE)
    try:
        address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container)
        yield Server(
            target=SshTarget(address=address, private_key=ours.private, host_key=theirs.public),
            seed=seed,
        )
    finally:
        docker("rm", "--force", "--volumes", container)


def booted(target: SshTarget, *, seconds: float = 400) -> Bootstrap:
    """How the first boot ended; asks as a controller would."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            bootstrap = bootstrap_of(target)
        except TransientError:
            bootstrap = Bootstrap(state="running")
        if bootstrap.state != "running":
            return bootstrap
        time.sleep(1)
    pytest.fail("the first boot did not end")


def test_cloud_init_finds_the_user_data_valid(server: Server) -> None:
    command = ("cloud-init", "schema", "--config-file", "/seed/user-data")
    assert "Valid schema" in docker("run", "--rm", "--volume", f"{server.seed}:/seed:ro", IMAGE, *command)


def test_a_first_boot_ends_with_docker_compose_a_firewall_and_an_agent(server: Server) -> None:
    bootstrap = booted(server.target)
    assert bootstrap.state == "done", bootstrap.log
    assert bootstrap.log.endswith(" done")
    assert facts_of(server.target).compose.startswith("2.")
    assert facts_of(server.target).system.startswith("Debian GNU/Linux 13")
    for unit in ("docker", "live-firewall", "zabbix-agent2"):
        assert f"enable {unit}\n" in ask(server.target, "sed 's/ --now//' /var/log/systemctl")
    firewall = ask(server.target, "nft list table inet live")
    assert "tcp dport { 22, 80, 443, 20000-29999 } accept" in firewall
    assert f"elements = {{ {ZABBIX} }}" in firewall
    agent = ask(server.target, "cat /etc/zabbix/zabbix_agent2.conf")
    assert f"\nServer={ZABBIX}\nServerActive={ZABBIX}\nHostname={KEY}\n" in agent
    assert "1" in ask(server.target, "apt-config dump APT::Periodic::Unattended-Upgrade")


def test_the_server_has_our_host_key_and_our_key_alone(server: Server) -> None:
    booted(server.target)
    assert ask(server.target, "ls /etc/ssh/ssh_host_*_key").split() == ["/etc/ssh/ssh_host_ed25519_key"]
    assert len(ask(server.target, "cat /root/.ssh/authorized_keys").splitlines()) == 1
    assert ask(server.target, "ls /home").strip() == ""
    with pytest.raises(HostKeyChanged):
        ask(replace(server.target, host_key=new_key_pair("another").public), "true")


def test_the_bootstrap_can_be_run_again(server: Server) -> None:
    booted(server.target)
    ask(server.target, "live-bootstrap", timeout=180)
    assert bootstrap_of(server.target).state == "done"


def asked(address: str, item: str) -> str:
    """What the agent answers, asked as a Zabbix server does; it may just have been started."""
    for _ in range(50):
        with suppress(ConnectionRefusedError):
            create_connection((address, 10050), timeout=10).close()
            break
        time.sleep(0.2)
    with create_connection((address, 10050), timeout=10) as line:
        line.sendall(b"ZBXD\1" + struct.pack("<Q", len(item)) + item.encode())
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    return answer[13:].decode()


def knocks(address: str, port: int) -> bool:
    """True when somebody else on the same network gets through."""
    command = f"timeout 3 bash -c 'true </dev/tcp/{address}/{port}' && echo through || true"
    return docker("run", "--rm", "debian:trixie-slim", "bash", "-c", command) == "through"


def test_the_zabbix_server_is_answered_by_the_agent_and_nobody_else_gets_there(server: Server) -> None:
    booted(server.target)
    address = server.target.address
    assert asked(address, "agent.hostname") == KEY
    assert asked(address, "agent.ping") == "1"
    assert [knocks(address, port) for port in (22, 10050)] == [True, False]


SAYS_HELLO = (
    "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => shift, Listen => 5, ReuseAddr => 1) or die;"
    'while ($c = $s->accept) { print $c "hello\\n"; close $c }'
)


def hello(address: str, port: int) -> str:
    """What is said to whoever connects; empty when nobody may."""
    command = ["timeout", "3", "bash", "-c", f"cat </dev/tcp/{address}/{port}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def test_the_firewall_lets_in_what_orders_publish_and_nothing_else(server: Server, tmp_path: Path) -> None:
    booted(server.target)
    host = lab_hosts()[1]
    rules = tmp_path / "firewall.nft"
    rules.write_text(ask(server.target, "cat /etc/live/firewall.nft"))
    listen = f"perl -e '{SAYS_HELLO}'"
    published = "--publish 27399:80 --publish 19399:80"
    container = ask(host, f"docker run --detach --rm {published} debian:bookworm-slim {listen} 80").strip()
    listener = ask(host, f"{listen} 9399 >/dev/null 2>&1 & echo $!").strip()
    try:
        time.sleep(1)
        before = [hello(host.address, port) for port in (27399, 19399, 9399)]
        ask(host, f"nft -f {rules}")
        after = [hello(host.address, port) for port in (27399, 19399, 9399)]
        assert facts_of(host).docker
    finally:
        ask(host, f"nft delete table inet live; kill {listener}; docker rm --force {container}")
    assert before == ["hello", "hello", "hello"]
    assert after == ["hello", "", ""]
