"""Every driver that is offered opens with what its form asks for, defaults included as the form sends them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.errors import TransientError
from infrastructure.adapters.libcloud.cloud import driver_names, open_driver
from infrastructure.adapters.libcloud.offers import driver_arguments

# Constructors that ask their cloud at once: sockets are closed, so it cannot be reached, which is far enough.
ASKING = {"abiquo", "azure_arm", "gce", "ovh"}


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return str(path)


def as_the_form_sends_it(name: str, key_file: str) -> dict[str, Any]:
    """Every field: what is required filled in, and each default as it was shown."""
    files = {"key_file", "key"} if name in ("azure", "gce") else set()
    filled: dict[str, Any] = {}
    for argument in driver_arguments(name):
        is_address = argument.name in ("endpoint", "api_url", "url", "ex_force_auth_url")
        value = "https://cloud.example.org/api" if is_address else key_file if argument.name in files else "x"
        filled[argument.name] = value if argument.is_required else argument.default
    return filled


@pytest.mark.filterwarnings("ignore:Kubernetes has its own CA")
@pytest.mark.parametrize("name", sorted(set(driver_names()) - ASKING))
def test_a_driver_that_is_offered_opens(name: str, key_file: str) -> None:
    assert open_driver(name, as_the_form_sends_it(name, key_file)).name


@pytest.mark.parametrize("name", sorted(ASKING))
def test_a_driver_that_asks_its_cloud_at_once_gets_as_far(
    name: str, key_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", nobody)
    with pytest.raises(TransientError, match="cannot be reached"):
        open_driver(name, as_the_form_sends_it(name, key_file))


def test_drivers_whose_package_is_missing_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.adapters.libcloud.arguments.find_spec", lambda name: None)
    assert {"libvirt", "vsphere"}.isdisjoint(driver_names())
    assert "digitalocean" in driver_names()


def test_what_a_driver_cannot_do_without_is_required() -> None:
    required = {argument.name for argument in driver_arguments("openstack") if argument.is_required}
    assert required == {"key", "secret", "ex_force_auth_url", "ex_tenant_name"}
