"""The cloud-init user-data of a new server. Pure text; it holds the server's private host key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from infrastructure.adapters.ssh.keys import KeyPair, bare

try:
    from yaml import CSafeDumper as SafeDumper  # by libyaml, ten times as fast
except ImportError:  # PyYAML was built without it
    from yaml import SafeDumper  # type: ignore[assignment]

IMAGE = "Debian 13"
"""The tested image; Ubuntu 24.04 has the same packages, Debian 12 has no Compose plugin."""
MAX_BYTES = 16_384
"""EC2's limit."""
PUBLISHED_PORTS = "20000-29999"

_FILES = Path(__file__).resolve().parents[1] / "templates" / "infrastructure" / "first_boot"
_BOOTSTRAP = "/usr/local/sbin/live-bootstrap"

_FIREWALL_UNIT = """[Unit]
Description=Firewall of Geocat Live
After=local-fs.target
Before=network-pre.target docker.service
Wants=network-pre.target
DefaultDependencies=no

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/live/firewall.nft
ExecStop=/usr/sbin/nft delete table inet live

[Install]
WantedBy=multi-user.target
"""

# Logs are limited, and containers keep running while the engine is upgraded.
_DOCKER = """{
  "live-restore": true,
  "log-driver": "json-file",
  "log-opts": {"max-file": "3", "max-size": "10m"}
}
"""

_UPGRADES = """APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "false";
"""


def render_user_data(*, key: str, host_key: KeyPair, authorized_key: str, zabbix_server: str = "") -> str:
    """The server `key` lets `authorized_key` in as root, shows exactly `host_key`, and has Docker and a firewall.

    `zabbix_server` is an address or a name, or several separated by commas: the server then runs an agent for it.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}", key):
        raise ValueError(f"'{key}' cannot name a server")
    if zabbix_server and not names_zabbix(zabbix_server):
        raise ValueError(f"'{zabbix_server}' is not the address of a Zabbix server")
    document = {
        "hostname": key.lower(),
        **_ways_in(host_key, authorized_key),
        "write_files": _files(key, zabbix_server),
        "runcmd": [[_BOOTSTRAP]],
    }
    return "#cloud-config\n" + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000)


def names_zabbix(text: str) -> bool:
    """True when the text is an address or a name, or several with commas and nothing else between."""
    return re.fullmatch(r"[A-Za-z0-9.:-]+(,[A-Za-z0-9.:-]+)*", text) is not None


def _ways_in(host_key: KeyPair, authorized_key: str) -> dict[str, Any]:
    """SSH as root by one key, and nothing else: whoever may use Docker is root anyway."""
    return {
        "disable_root": False,
        "ssh_pwauth": False,
        "users": [{"name": "root", "lock_passwd": True, "ssh_authorized_keys": [bare(authorized_key)]}],
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": bare(host_key.public)},
        "ssh": {"emit_keys_to_console": False},
    }


def _files(key: str, zabbix_server: str) -> list[dict[str, str]]:
    firewall = (_FILES / "firewall.nft").read_text(encoding="utf-8").replace("PORTS", PUBLISHED_PORTS)
    settings = f"LIVE_KEY='{key}'\nZABBIX_SERVERS='{zabbix_server}'\n"
    return [
        _file(_BOOTSTRAP, (_FILES / "bootstrap.sh").read_text(encoding="utf-8"), mode="0755"),
        _file("/etc/live/bootstrap.env", settings),
        _file("/etc/live/firewall.nft", firewall),
        _file("/etc/systemd/system/live-firewall.service", _FIREWALL_UNIT),
        _file("/etc/docker/daemon.json", _DOCKER),
        _file("/etc/apt/apt.conf.d/60live-upgrades", _UPGRADES),
    ]


def _file(path: str, content: str, *, mode: str = "0644") -> dict[str, str]:
    return {"path": path, "permissions": mode, "content": content}


class _Dumper(SafeDumper):
    """Writes texts of several lines as blocks: staff read user-data when a server does not come up."""


def _text(dumper: SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
