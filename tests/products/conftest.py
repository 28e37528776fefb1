"""A catalogue on disk that tests can spoil."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from products.adapters.compose.config import ComposeConfig
from products.contracts import ComposeModel

MANIFEST = """\
name: Map server
summary: Maps for everyone
inputs:
  - {key: title, label: Title, type: string, default: Our maps, max_length: 60}
secrets:
  - {key: admin_password, label: Administrator's password, visible: true}
endpoints:
  - name: wms
    application: Web Map Service
    service: gateway
    port: 80
    path: /wms
    check: {path: "/wms?request=GetCapabilities", contains: Capabilities}
plans:
  - slug: small
    name: Small
    price: "49.00"
    currency: EUR
    period: month
    placement: dedicated
    size: {cpus: 1, ram_gb: 2, disk_gb: 20}
  - slug: large
    name: Large
    price: "99.90"
    setup_fee: "25.00"
    currency: EUR
    period: month
    placement: dedicated
    size: {cpus: 4, ram_gb: 8, disk_gb: 80}
    sla: {promise: "99.5", credit: "10"}
    grace_minutes: 5
"""
COMPOSE = """\
services:
  gateway:
    build: .
    expose: ["80"]
    volumes: ["maps:/srv/maps"]
volumes:
  maps:
"""

WriteProduct = Callable[..., Path]


def write_product(root: Path, slug: str = "maps", *, manifest: str = MANIFEST, compose: str = COMPOSE) -> Path:
    """The folder of a product in the catalogue at `root`."""
    folder = root / "products" / slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "product.yaml").write_text(manifest)
    (folder / "compose.yaml").write_text(compose)
    (folder / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
    return folder


@pytest.fixture
def remembered_compositions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose is asked once about the same files: its model depends on nothing else."""

    def read(
        self: ComposeConfig, files: Mapping[str, bytes], environment: Mapping[str, str], **how: Any
    ) -> ComposeModel:
        question = (self.timeout, *map(frozenset, (files.items(), environment.items(), how.items())))
        if question not in _models:
            _models[question] = read_anew(self, files, environment, **how)
        return deepcopy(_models[question])

    read_anew = ComposeConfig.read
    monkeypatch.setattr(ComposeConfig, "read", read)


_models: dict[object, ComposeModel] = {}


@pytest.fixture
def catalogue(tmp_path: Path, settings: Settings) -> Path:
    """A catalogue with the product `maps`, which the settings point at."""
    write_product(tmp_path)
    settings.CATALOGUE_URL = str(tmp_path)
    return tmp_path
