"""Keys and credentials: stored encrypted, and read for the adapters only."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from infrastructure.adapters.ssh.hosts import new_key_pair
from infrastructure.models import Host, HostSecrets, Provider, ProviderSecrets, Server, ServerKeys


def settings_of(provider: Provider) -> dict[str, object]:
    """The driver's settings; they hold secrets."""
    row = ProviderSecrets.objects.filter(provider=provider).first()
    return dict(row.values) if row else {}


@transaction.atomic
def change_settings(*, provider: Provider, values: Mapping[str, object]) -> None:
    """Merge `values` into the driver's settings; an empty value removes its setting."""
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    merged = {**settings_of(provider), **values}
    kept = {name: value for name, value in merged.items() if value not in (None, "")}
    ProviderSecrets.objects.update_or_create(provider=provider, defaults={"values": kept})


@transaction.atomic
def give_host_key(*, host: Host, private_key: str = "") -> None:
    """The host is reached with this private key, or with a new one whose public key belongs in authorized_keys."""
    public = ""
    private_key = _as_file(private_key)
    if not private_key:
        pair = new_key_pair(f"live@{host.name}")
        private_key, public = pair.private, pair.public
    HostSecrets.objects.update_or_create(host=host, defaults={"private_key": private_key})
    Host.objects.filter(pk=host.pk).update(public_key=public, state=Host.State.NEW)


def give_server_keys(server: Server) -> None:
    """A server to be created gets two key pairs: one for our login, the other as its host key."""
    ours, its = new_key_pair(server.order.key), new_key_pair(f"{server.order.key} host")
    values = {
        "public_key": ours.public,
        "private_key": ours.private,
        "host_key": its.public,
        "host_private_key": its.private,
    }
    ServerKeys.objects.update_or_create(server=server, defaults=values)


@transaction.atomic
def admit_server(*, server: Server, private_key: str = "", host_key: str = "") -> None:
    """An existing server is reached with this key and verified by this host key; empty values stay unchanged."""
    given = {"private_key": _as_file(private_key), "host_key": host_key.strip()}
    values = {name: value for name, value in given.items() if value}
    if "private_key" in values:
        values["public_key"] = ""
    if not ServerKeys.objects.filter(server=server).update(**values):
        ServerKeys.objects.create(server=server, host_private_key="", **values)


def _as_file(private_key: str) -> str:
    """The key as ssh expects it in a file: browsers send carriage returns, which ssh rejects."""
    return "\n".join(line.strip() for line in private_key.strip().splitlines())
