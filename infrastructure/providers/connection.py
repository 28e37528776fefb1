"""Tests of providers and hosts, run by workers so that no page waits for them."""

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


def connection_message(provider: Provider) -> str:
    """What answers at the provider; raises OutsideError if nothing does. The hosts of a pool are tested one by one."""
    if provider.kind == Provider.Kind.EXISTING:
        return _test_pool(provider)
    answers = [get_cloud(provider).test_connection()]
    if (runtime := get_own_runtime(provider)) is not None:
        answers.append(runtime.test_connection())
    return "; ".join(answers)


def _test_pool(provider: Provider) -> str:
    pks = list(provider.hosts.filter(is_enabled=True).values_list("pk", flat=True))
    ask_hosts(pks)
    message = ngettext("Testing %(count)d host.", "Testing %(count)d hosts.", len(pks))
    return message % {"count": len(pks)}


@transaction.atomic
def ask_hosts(pks: list[int]) -> None:
    """Workers will test each of these hosts independently."""
    for pk in pks:
        enqueue("infrastructure.providers.connection.ask_host", pk, name=f"test host {pk}")


def ask_all_hosts() -> int:
    """Workers will test every enabled host: one that answers again accepts orders again."""
    pks = list(Host.objects.filter(is_enabled=True).values_list("pk", flat=True))
    ask_hosts(pks)
    return len(pks)


def ask_host(host_pk: int) -> str:
    """The host's row describes its system, or why it cannot be used."""
    host = Host.objects.filter(pk=host_pk).first()
    if host is None or host.is_gone:
        return ""
    try:
        facts = hosts.facts_of(target_of_host(host))
    except OutsideError as error:
        state = Host.State.REFUSED if isinstance(error, PermanentError) else Host.State.SILENT
        return _write_answer(host, state, str(error))
    if problem := host_problem(facts):
        return _write_answer(host, Host.State.REFUSED, problem, facts=asdict(facts))
    message = _("%(system)s, Docker %(docker)s; %(cpus)s, %(ram)s GB of memory, %(free)s of %(disk)s GB of disk free")
    message %= {
        "system": facts.system,
        "docker": facts.docker,
        "cpus": cpu_words(facts.cpus),
        "ram": facts.ram_gb,
        "free": facts.disk_free_gb,
        "disk": facts.disk_gb,
    }
    return _write_answer(host, Host.State.READY, message, facts=asdict(facts))


def host_problem(facts: hosts.HostFacts) -> str:
    """Why the host cannot run compositions; empty if it can."""
    if not facts.docker:
        return _("No Docker Engine is available to this user. Install Docker Engine on the host.")
    if not facts.compose:
        return _("The Compose plugin is missing. Install it on the host.")
    if facts.disk_free_gb < LEAST_DISK_GB:
        return _("The disk is full: %(free)s GB free.") % {"free": facts.disk_free_gb}
    return ""


def _write_answer(host: Host, state: Host.State, message: str, **fields: object) -> str:
    Host.objects.filter(pk=host.pk, gone_at=None).update(
        state=state, status_message=message, checked_at=clock.now(), **fields
    )
    return message


def test_connection(provider_pk: int) -> str:
    """The provider's row says what answered, or why nothing did."""
    provider = Provider.objects.filter(pk=provider_pk).first()
    if provider is None:
        return ""
    try:
        message = connection_message(provider)
    except OutsideError as error:
        message = _("Failed: %(error)s") % {"error": error}
    else:
        Provider.objects.filter(pk=provider_pk, is_enabled_by_test=True).update(
            is_enabled=True, is_enabled_by_test=False
        )
    Provider.objects.filter(pk=provider_pk).update(connection_state=message[:250], connection_tested_at=clock.now())
    return message
