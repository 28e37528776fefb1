"""The last look at what a server's rows stand for, in words: rows only, the outside is not asked."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.admin.read_only_rows import when
from core.text.units import cpu_words
from infrastructure.backends import engine_of, engine_of_host
from infrastructure.models import Host, Look, Server

MIB, GIB = 1024**2, 1024**3
NBSP = "\u00a0"  # an amount and its unit stay on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class LookWords:
    """What one look came to."""

    title: str
    words: str
    seen: str
    trouble: str


def looks_at(server: Server) -> list[LookWords]:
    """The last looks that tell of the server: its provider's list, and its engine."""
    looks = Look.objects.filter(provider=server.provider, engine__in=("", engine_of(server)))
    own = [look for look in looks if look.thing == Look.Thing.SERVERS or look.engine == engine_of(server)]
    return [look_in_words(look) for look in sorted(own, key=lambda look: look.thing, reverse=True)]


def looks_at_host(host: Host) -> list[LookWords]:
    """The last look at the host's engine."""
    looks = Look.objects.filter(provider=host.provider, thing=Look.Thing.ENGINE, engine=engine_of_host(host))
    return [look_in_words(look) for look in looks]


def look_in_words(look: Look) -> LookWords:
    """The machine, how long ago it was seen, and why it was not seen since."""
    servers = look.thing == Look.Thing.SERVERS
    return LookWords(
        title=_("The provider's list of servers") if servers else _("Docker Engine and its machine"),
        words="" if servers else machine_in_words(look),
        seen=when(look.seen_at),
        trouble=look.trouble,
    )


def machine_in_words(look: Look) -> str:
    """The engine's version, and what the machine has and has left."""
    told = [_("version %(version)s") % {"version": look.version}] if look.version else []
    if look.cpus:
        told.append(cpu_words(look.cpus))
    for has, free, words in (
        (look.ram_gb, look.ram_free_gb, _("%(free)s of %(all)s GB of memory free")),
        (look.disk_gb, look.disk_free_gb, _("%(free)s of %(all)s GB of disk free")),
    ):
        if has is not None and free is not None:
            told.append(words % {"free": f"{free:g}", "all": f"{has:g}"})
    return ", ".join(told)


def bytes_in_words(amount: int | None) -> str:
    """The amount with the unit that suits it; nothing where it is not known."""
    if amount is None:
        return ""
    if amount >= GIB:
        return f"{amount / GIB:.1f}{NBSP}GiB"
    return f"{amount / MIB:.0f}{NBSP}MiB" if amount >= 10 * MIB else f"{amount / MIB:.1f}{NBSP}MiB"


def memory_in_words(used: int | None, limit: int | None) -> str:
    """What is used of what may be."""
    if used is None or limit is None:
        return bytes_in_words(used)
    return _("%(used)s of %(limit)s") % {"used": bytes_in_words(used), "limit": bytes_in_words(limit)}
