"""What a new server is told to become, as cloud-init reads it. Pure text; it holds the server's private host key."""

from __future__ import annotations

import json

from infrastructure.adapters.ssh import KeyPair


def render_user_data(*, key: str, host_key: KeyPair, authorized_key: str, zabbix_server: str = "") -> str:
    """The server `key` lets us in by `authorized_key`, shows exactly `host_key`, and has Docker and Compose."""
    wanted = {
        "hostname": key,
        "disable_root": False,
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
        "users": [{"name": "root", "ssh_authorized_keys": [authorized_key]}],
        "package_update": True,
        "packages": ["docker.io", "docker-compose", "unattended-upgrades"],
    }
    return "#cloud-config\n" + json.dumps(wanted, indent=1) + "\n"  # JSON is YAML
