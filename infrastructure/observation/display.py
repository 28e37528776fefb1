"""How the last observations of a server or host are displayed; reads rows only."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.admin.read_only_rows import when
from core.text.units import cpu_words
from infrastructure.backends import engine_of, engine_of_host
from infrastructure.models import Host, Observation, Server

MIB, GIB = 1024**2, 1024**3
NBSP = "\u00a0"  # keeps an amount and its unit on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRow:
    """One observation as text."""

    title: str
    summary: str
    last_seen: str
    error: str


def observations_of(server: Server) -> list[ObservationRow]:
    """The last observations of the server: its provider's server list, and its engine."""
    engine = engine_of(server)
    observations = Observation.objects.filter(provider=server.provider, engine__in=("", engine))
    own = [row for row in observations if row.thing == Observation.Thing.SERVERS or row.engine == engine]
    return [_row(observation) for observation in sorted(own, key=lambda row: row.thing, reverse=True)]


def observations_of_host(host: Host) -> list[ObservationRow]:
    """The last observation of the host's engine."""
    observations = Observation.objects.filter(
        provider=host.provider, thing=Observation.Thing.ENGINE, engine=engine_of_host(host)
    )
    return [_row(observation) for observation in observations]


def _row(observation: Observation) -> ObservationRow:
    is_list = observation.thing == Observation.Thing.SERVERS
    return ObservationRow(
        title=_("Provider's server list") if is_list else _("Docker Engine"),
        summary="" if is_list else _machine_summary(observation),
        last_seen=when(observation.seen_at),
        error=observation.error,
    )


def _machine_summary(observation: Observation) -> str:
    """The engine's version, and the total and free resources of its machine."""
    facts = [_("version %(version)s") % {"version": observation.version}] if observation.version else []
    if observation.cpus:
        facts.append(cpu_words(observation.cpus))
    for total, free, text in (
        (observation.ram_gb, observation.ram_free_gb, _("%(free)s of %(total)s GB memory free")),
        (observation.disk_gb, observation.disk_free_gb, _("%(free)s of %(total)s GB disk free")),
    ):
        if total is not None and free is not None:
            facts.append(text % {"free": f"{free:g}", "total": f"{total:g}"})
    return ", ".join(facts)


def format_bytes(amount: int | None) -> str:
    """The amount in MiB or GiB; empty if unknown."""
    if amount is None:
        return ""
    if amount >= GIB:
        return f"{amount / GIB:.1f}{NBSP}GiB"
    return f"{amount / MIB:.0f}{NBSP}MiB" if amount >= 10 * MIB else f"{amount / MIB:.1f}{NBSP}MiB"


def format_memory(used: int | None, limit: int | None) -> str:
    """The memory in use, and its limit if there is one."""
    if used is None or limit is None:
        return format_bytes(used)
    return _("%(used)s of %(limit)s") % {"used": format_bytes(used), "limit": format_bytes(limit)}
