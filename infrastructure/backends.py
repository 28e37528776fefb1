"""Creates the adapters for a provider, a host or a server; tests replace these functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from core.address_policy import address_guard
from core.errors import ConfigError
from infrastructure.adapters.docker.this_machine import ThisMachine
from infrastructure.adapters.libcloud.cloud import open_driver
from infrastructure.adapters.libcloud.offers import read_offer
from infrastructure.adapters.libcloud.power import PoweredCloud, driver_powers, powers_of
from infrastructure.adapters.ssh.hosts import KeyPair, SshTarget
from infrastructure.cloud_init import render_user_data
from infrastructure.contracts.cloud import Cloud, Offer, Powers
from infrastructure.contracts.runtime import Runtime
from infrastructure.keys import settings_of
from infrastructure.models import Host, HostSecrets, Provider, Server, ServerKeys
from infrastructure.sandbox.driver import SandboxNodeDriver
from infrastructure.sandbox.runtime import SandboxRuntime


def get_cloud(provider: Provider, *, size_id: str = "") -> Cloud:
    """The provider's cloud; with `size_id` it may create servers of that size only."""
    sizes = (size_id,) if size_id else tuple(provider.size_ids)
    if provider.is_sandbox:
        return PoweredCloud(driver=SandboxNodeDriver(provider.pk), image_id="debian-12", size_ids=sizes)
    if provider.kind != Provider.Kind.LIBCLOUD:
        return ThisMachine(address=provider.address)
    return PoweredCloud(
        driver=_driver_of(provider),
        image_id=provider.image,
        location_id=provider.location,
        size_ids=sizes,
        architecture=provider.architecture,
        network_id=provider.network,
        create_options=provider.create_options,
    )


def get_offer(provider: Provider) -> Offer:
    """What the provider offers now; empty if it creates no servers."""
    if provider.is_sandbox:
        return read_offer(SandboxNodeDriver(provider.pk))
    if provider.kind != Provider.Kind.LIBCLOUD:
        return Offer()
    return read_offer(_driver_of(provider), location_id=provider.location)


def get_powers(provider: Provider) -> Powers:
    """The actions that the provider's driver supports; without any connection."""
    if provider.is_sandbox:
        return powers_of(SandboxNodeDriver)
    return driver_powers(provider.driver) if provider.kind == Provider.Kind.LIBCLOUD else Powers()


def get_runtime(server: Server) -> Runtime:
    """The runtime on the server."""
    provider = server.provider
    if provider.is_sandbox:
        return SandboxRuntime(provider.pk)
    if provider.kind == Provider.Kind.LOCAL:
        return _docker(None)
    return _docker(target_of(server))


def get_host_runtime(host: Host) -> Runtime:
    """The runtime on the host."""
    return _docker(target_of_host(host))


def get_own_runtime(provider: Provider) -> Runtime | None:
    """The engine that all servers of the provider share; None if each has its own."""
    if provider.is_sandbox:
        return SandboxRuntime(provider.pk)
    return _docker(None) if provider.kind == Provider.Kind.LOCAL else None


def engine_of(server: Server) -> str:
    """The name of the engine that runs the server's composition; empty if all servers of the provider share one."""
    if server.host is not None:
        return engine_of_host(server.host)
    return f"server {server.pk}" if server.provider.kind == Provider.Kind.LIBCLOUD else ""


def engine_of_host(host: Host) -> str:
    """The name of the host's engine among its provider's."""
    return f"host {host.pk}"


def target_of(server: Server, *, address: str = "") -> SshTarget:
    """The server's SSH address and keys; `address` is that of a new server."""
    if server.host is not None:
        return target_of_host(server.host)
    keys = _keys_of(server)
    return SshTarget(address=address or server.address, private_key=keys.private_key, host_key=keys.host_key)


def target_of_host(host: Host) -> SshTarget:
    """The host's SSH address and keys."""
    secrets = HostSecrets.objects.filter(host=host).first()
    return SshTarget(
        address=host.address,
        port=host.port,
        user=host.user,
        private_key=secrets.private_key if secrets else "",
        host_key=host.host_key,
    )


def user_data_of(server: Server) -> str:
    """The user-data of a new server; it holds the private host key."""
    keys = _keys_of(server)
    return render_user_data(
        key=server.order.key,
        host_key=KeyPair(private=keys.host_private_key, public=keys.host_key),
        authorized_key=keys.public_key,
        zabbix_server=settings.ZABBIX_AGENT_SERVER if server.has_agent else "",
    )


def _driver_of(provider: Provider) -> Any:
    return open_driver(provider.driver, settings_of(provider), guard=address_guard())


def _keys_of(server: Server) -> ServerKeys:
    keys = ServerKeys.objects.filter(server=server).first()
    if keys is None:
        raise ConfigError(
            "No SSH key is stored for this server: it was not created for its order. Add a key to the server, enter it "
            "under Infrastructure, Server keys, and try again."
        )
    return keys


def _docker(target: SshTarget | None) -> Runtime:
    from infrastructure.adapters.docker.runtime import DockerRuntime  # Docker's SDK, which only some processes need

    return DockerRuntime(
        work_dir=Path(settings.VAR_DIR) / "compositions",
        host="" if target else settings.DOCKER_HOST,
        timeout=settings.LAUNCH_TIMEOUT,
        ssh=target,
        at_once=settings.LAUNCHES_AT_ONCE,
    )
