"""Keys and credentials: kept sealed, given out to the adapters alone."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from infrastructure.adapters.ssh import new_key_pair
from infrastructure.models import Host, HostSecrets, Provider, ProviderSecrets, Server, ServerKeys


def settings_of(provider: Provider) -> dict[str, object]:
    """Everything the driver is told; holds secrets."""
    row = ProviderSecrets.objects.filter(provider=provider).first()
    return dict(row.values) if row else {}


@transaction.atomic
def change_settings(*, provider: Provider, values: Mapping[str, object]) -> None:
    """The driver is told `values` besides what it is told already; an empty value is told no more."""
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    told = {**settings_of(provider), **values}
    kept = {name: value for name, value in told.items() if value not in (None, "")}
    ProviderSecrets.objects.update_or_create(provider=provider, defaults={"values": kept})


@transaction.atomic
def give_host_key(*, host: Host, private_key: str = "") -> None:
    """The host is opened with this private key, or with a new one whose public half belongs into authorized_keys."""
    public = ""
    if not private_key:
        pair = new_key_pair(f"live@{host.name}")
        private_key, public = pair.private, pair.public
    HostSecrets.objects.update_or_create(host=host, defaults={"private_key": private_key})
    Host.objects.filter(pk=host.pk).update(public_key=public, state=Host.State.NEW)


def give_server_keys(server: Server) -> None:
    """The server's two key pairs: one lets us in, the other proves that it is the server."""
    ours, its = new_key_pair(server.order.key), new_key_pair(f"{server.order.key} host")
    ServerKeys.objects.create(
        server=server,
        public_key=ours.public,
        private_key=ours.private,
        host_key=its.public,
        host_private_key=its.private,
    )
