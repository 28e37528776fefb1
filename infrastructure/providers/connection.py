"""What workers find out about providers and hosts, in the background, so that no page ever waits for them."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.engine.queue import enqueue
from core.errors import OutsideError, PermanentError
from core.text.units import cpu_words
from infrastructure.adapters.ssh import hosts
from infrastructure.backends import (
    get_cloud,
    get_own_runtime,
    target_of_host,
)
from infrastructure.models import Host, Provider

LEAST_DISK_GB = 1


def connection_words(provider: Provider) -> str:
    """Who answers at the provider; raises OutsideError when nobody does. Of a pool every host is asked by itself."""
    if provider.kind == Provider.Kind.EXISTING:
        return _ask_pool(provider)
    said = [get_cloud(provider).test_connection()]
    if (runtime := get_own_runtime(provider)) is not None:
        said.append(runtime.test_connection())
    return "; ".join(said)


def _ask_pool(provider: Provider) -> str:
    pks = list(provider.hosts.filter(is_enabled=True).values_list("pk", flat=True))
    ask_hosts(pks)
    words = ngettext("%(count)d host is being asked.", "%(count)d hosts are being asked.", len(pks))
    return words % {"count": len(pks)}


@transaction.atomic
def ask_hosts(pks: list[int]) -> None:
    """A worker will ask each of these hosts, none waiting for another."""
    for pk in pks:
        enqueue("infrastructure.providers.connection.ask_host", pk, name=f"ask host {pk}")


def ask_all_hosts() -> int:
    """Every enabled host will be asked: one that answers again takes orders again."""
    pks = list(Host.objects.filter(is_enabled=True).values_list("pk", flat=True))
    ask_hosts(pks)
    return len(pks)


def ask_host(host_pk: int) -> str:
    """The host's row says what it is made of, or why it cannot be used."""
    host = Host.objects.filter(pk=host_pk).first()
    if host is None or host.is_gone:
        return ""
    try:
        facts = hosts.facts_of(target_of_host(host))
    except OutsideError as error:
        state = Host.State.REFUSED if isinstance(error, PermanentError) else Host.State.SILENT
        return _write_answer(host, state, str(error))
    if trouble := trouble_with(facts):
        return _write_answer(host, Host.State.REFUSED, trouble, facts=asdict(facts))
    words = _("%(system)s, Docker %(docker)s; %(cpus)s, %(ram)s GB of memory, %(free)s of %(disk)s GB of disk free") % {
        "system": facts.system,
        "docker": facts.docker,
        "cpus": cpu_words(facts.cpus),
        "ram": facts.ram_gb,
        "free": facts.disk_free_gb,
        "disk": facts.disk_gb,
    }
    return _write_answer(host, Host.State.READY, words, facts=asdict(facts))


def trouble_with(facts: hosts.HostFacts) -> str:
    """Why compositions cannot run on such a host; empty if they can."""
    if not facts.docker:
        return _("There is no Docker Engine that the user may use; install it there.")
    if not facts.compose:
        return _("There is no Compose plugin; install it there.")
    if facts.disk_free_gb < LEAST_DISK_GB:
        return _("Its disk is full: %(free)s GB are free.") % {"free": facts.disk_free_gb}
    return ""


def _write_answer(host: Host, state: Host.State, words: str, **fields: object) -> str:
    Host.objects.filter(pk=host.pk, gone_at=None).update(
        state=state, status_message=words, checked_at=clock.now(), **fields
    )
    return words


def test_connection(provider_pk: int) -> str:
    """The provider's row says who answered there, or why nobody did."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    if provider is None:
        return ""
    try:
        words = connection_words(provider)
    except OutsideError as error:
        words = _("Failed: %(error)s") % {"error": error}
    else:
        Provider.objects.filter(pk=provider_pk, is_enabled_by_test=True).update(
            is_enabled=True, is_enabled_by_test=False
        )
    Provider.objects.filter(pk=provider_pk).update(connection_state=words[:250], connection_tested_at=clock.now())
    return words
