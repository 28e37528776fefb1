"""What a new server is told to do at its first boot."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrastructure.adapters.ssh.hosts import new_key_pair
from infrastructure.cloud_init import MAX_BYTES, PUBLISHED_PORTS, render_user_data
from infrastructure.placement.ports import FIRST_PORT, LAST_PORT

OURS, THEIRS = new_key_pair("live-GL7K3M"), new_key_pair("host of live-GL7K3M")


def rendered(**more: str) -> str:
    return render_user_data(key="live-GL7K3M", host_key=THEIRS, authorized_key=OURS.public, **more)


def user_data_with(**more: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(rendered(**more))
    return document


def files(**more: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in user_data_with(**more)["write_files"]}


def test_the_server_shows_the_host_key_we_made_and_no_other() -> None:
    document = user_data_with()
    assert document["ssh_keys"]["ed25519_private"] == THEIRS.private
    assert THEIRS.public.startswith(document["ssh_keys"]["ed25519_public"])
    assert document["ssh_deletekeys"] is True


def test_only_our_key_is_let_in_and_only_as_root() -> None:
    document = user_data_with()
    [user] = document["users"]
    assert user["name"] == "root"
    assert len(user["ssh_authorized_keys"]) == 1
    assert OURS.public.startswith(user["ssh_authorized_keys"][0])
    assert (document["disable_root"], document["ssh_pwauth"]) == (False, False)
    assert OURS.private.splitlines()[4] not in rendered()


def test_it_is_cloud_config_and_small_enough_for_every_cloud() -> None:
    text = rendered(zabbix_server="198.51.100.7,zabbix.example.org")
    assert text.startswith("#cloud-config\n")
    assert len(text.encode()) < MAX_BYTES / 2


def test_the_first_boot_runs_one_script_that_is_valid() -> None:
    document = user_data_with()
    [[script]] = document["runcmd"]
    [written] = [file for file in document["write_files"] if file["path"] == script]
    assert written["permissions"] == "0755"
    subprocess.run(["bash", "-n"], input=written["content"], text=True, check=True, timeout=10)


def test_the_firewall_opens_what_orders_publish() -> None:
    assert f"{FIRST_PORT}-{LAST_PORT}" == PUBLISHED_PORTS
    firewall = files()["/etc/live/firewall.nft"]
    assert "tcp dport { 22, 80, 443, 20000-29999 } accept" in firewall
    assert "PORTS" not in firewall


def test_the_zabbix_server_is_named_in_the_settings_only_where_there_is_one() -> None:
    assert files()["/etc/live/bootstrap.env"] == "LIVE_KEY='live-GL7K3M'\nZABBIX_SERVERS=''\n"
    with_zabbix = files(zabbix_server="198.51.100.7")["/etc/live/bootstrap.env"]
    assert with_zabbix.endswith("ZABBIX_SERVERS='198.51.100.7'\n")


@pytest.mark.parametrize("name", ["", "x'; reboot; '", "live GL7K3M", "live-é", "a" * 64])
def test_a_key_that_would_be_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a server"):
        render_user_data(key=name, host_key=THEIRS, authorized_key=OURS.public)


@pytest.mark.parametrize("address", ["'; reboot; '", "$(id)", "a b"])
def test_an_address_that_would_be_more_than_one_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a Zabbix server"):
        rendered(zabbix_server=address)


class Machine:
    """A machine of stub programs on which the script runs; nothing real is touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("apt-get", "systemctl", "docker", "nft", "sleep", "getent"):
            self.put(name, f'echo "{name} $*" >>{folder}/calls')
        self.put("apt-cache", 'echo "  Candidate: 2.26.1-4"')

    def put(self, name: str, script: str) -> None:
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def boots(self, **more: str) -> int:
        script = files(**more)["/usr/local/sbin/live-bootstrap"]
        for path in ("/etc/live", "/var/lib/live", "/var/log", "/etc/zabbix"):
            (self.folder / path[1:]).mkdir(parents=True, exist_ok=True)
            script = script.replace(f"{path}/", f"{self.folder}{path}/")
        script = script.replace("mkdir -p /var/lib/live", "true")
        (self.folder / "etc/live/bootstrap.env").write_text(files(**more)["/etc/live/bootstrap.env"])
        environment = {"PATH": f"{self.bin}:/usr/bin:/bin"}
        return subprocess.run(["bash", "-c", script], env=environment, check=False, timeout=30).returncode

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_boot_that_goes_well_ends_done(machine: Machine) -> None:
    assert machine.boots() == 0
    assert machine.read("var/lib/live/bootstrap") == "done\n"
    calls = machine.read("calls")
    for package in ("docker.io ca-certificates docker-cli", "docker-compose-v2", "nftables", "unattended-upgrades"):
        assert f"install --no-install-recommends {package}\n" in calls
    assert "systemctl enable --now docker" in calls
    assert "systemctl restart live-firewall" in calls
    assert "zabbix" not in calls


def test_without_a_compose_plugin_of_version_2_none_is_installed(machine: Machine) -> None:
    machine.put("apt-cache", '[ "$2" = docker-compose ] && echo "  Candidate: 1.29.2-3" || echo "  Candidate: (none)"')
    assert machine.boots() == 0
    calls = machine.read("calls")
    assert "docker-compose" not in calls
    assert "install --no-install-recommends docker.io ca-certificates\n" in calls
    assert "none packaged for this system" in machine.read("var/log/live-bootstrap.log")


def test_a_zabbix_server_gets_its_agent_and_its_hole_in_the_firewall(machine: Machine) -> None:
    machine.put("getent", 'echo "198.51.100.7 STREAM"; echo "198.51.100.7 DGRAM"; echo "2001:db8::7 STREAM"')
    settings = machine.folder / "etc/zabbix/zabbix_agent2.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("LogFile=/x\nServer=127.0.0.1\nServerActive=127.0.0.1\nHostname=Zabbix server\n")
    assert machine.boots(zabbix_server="zabbix.example.org") == 0
    assert machine.read("etc/live/zabbix.nft").splitlines() == [
        "add element inet live zabbix4 { 198.51.100.7 }",
        "add element inet live zabbix6 { 2001:db8::7 }",
    ]
    assert settings.read_text() == (
        "LogFile=/x\nServer=zabbix.example.org\nServerActive=zabbix.example.org\nHostname=live-GL7K3M\n"
    )


def test_a_step_that_fails_is_tried_again_and_then_named_in_a_log_that_stays(machine: Machine) -> None:
    machine.put(
        "apt-get",
        f'echo "$*" >>{machine.folder}/calls; case "$*" in *docker.io*) echo "E: no such mirror"; exit 100;; esac',
    )
    assert machine.boots() != 0
    assert machine.read("var/lib/live/bootstrap") == "failed\n"
    log = machine.read("var/log/live-bootstrap.log")
    assert log.count("E: no such mirror") == 5
    assert log.endswith("live-bootstrap failed at: Docker Engine\n")


def test_an_engine_that_does_not_start_is_a_failure(machine: Machine) -> None:
    machine.put("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert machine.boots() != 0
    assert machine.read("var/lib/live/bootstrap") == "failed\n"
    assert "Cannot connect to the Docker daemon" in machine.read("var/log/live-bootstrap.log")


def test_a_boot_can_be_repeated_after_a_failure(machine: Machine) -> None:
    machine.put("docker", "exit 1")
    machine.boots()
    machine.put("docker", "exit 0")
    assert machine.boots() == 0
    assert machine.read("var/lib/live/bootstrap") == "done\n"
