"""The lab's two hosts, as tests reach them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest

from infrastructure.adapters.ssh.hosts import SshTarget
from infrastructure.contracts.runtime import Composition, Port

ROOT = Path(__file__).parents[2]
LIST = ROOT / "var/lab/hosts.json"
SDI = ROOT / "catalogue/products/sdi-lite"


def lab_hosts() -> Sequence[SshTarget]:
    """The hosts that `deploy/lab/hosts` has started."""
    if not LIST.exists():
        pytest.fail("the lab's hosts are not there: deploy/lab/hosts")
    shown = json.loads(LIST.read_text())
    return [
        SshTarget(
            address=host["address"],
            port=host["port"],
            user=host["user"],
            private_key=shown["private_key"],
            host_key=host["host_key"],
        )
        for host in shown["hosts"]
    ]


def sdi_lite(key: str, *, host_port: int, title: str) -> Composition:
    """The sample SDI for one order, its gateway published at a port of the host."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(SDI, arcname=".")
    return Composition(
        key=key,
        compose=(SDI / "compose.yaml").read_text(),
        bundle=archive.getvalue(),
        digest="as in this checkout",
        ports=(Port(service="gateway", container_port=8080, host_port=host_port),),
        environment={
            "TITLE": title,
            "CONTACT_EMAIL": "gis@example.org",
            "DATABASE_PASSWORD": f"of {key}",
            "ADMIN_PASSWORD": f"admin of {key}",
            "LIVE_ORDER": key.removeprefix("live-"),
            "LIVE_RELEASE": "1",
            "LIVE_DOMAIN": "localhost",
        },
    )
