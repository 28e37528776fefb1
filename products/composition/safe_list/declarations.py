"""The safe list for what a composition declares beside its services: networks, volumes, configs and secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from products.composition.safe_list.rules import (
    Context,
    Finding,
    Rule,
    anything,
    each,
    inside,
    labels,
    mapping_of,
    never,
    only,
    own_name,
)
from products.composition.safe_list.services import SERVICE

NO_EXTERNAL = gettext_noop("what other compositions made cannot be used.")
NO_OPTIONS = gettext_noop("these options can mount or reach the host; leave them out.")
NO_SUBNET = gettext_noop("a fixed subnet or address can be used by one order only; leave it out.")
NO_DRIVER = gettext_noop("“%(value)s” cannot be used; leave the driver out.")
NO_SOURCE = gettext_noop("only files, contents and variables of the composition can be used.")
HARMLESS_NETWORK_OPTIONS = frozenset({"com.docker.network.driver.mtu"})


def _network_options(value: Any, context: Context) -> Iterator[Finding]:
    for name in value if isinstance(value, Mapping) else ():  # of anything else, Compose says so
        if name not in HARMLESS_NETWORK_OPTIONS:
            yield str(name), _(NO_OPTIONS)


IPAM: Rule = mapping_of(
    {
        "config": never(NO_SUBNET),
        "driver": only("default", message=NO_DRIVER),
        "options": never(NO_OPTIONS),
    }
)
NETWORK: Rule = mapping_of(
    {
        "attachable": anything,
        "driver": only("bridge", "default", message=NO_DRIVER),
        "driver_opts": _network_options,
        "enable_ipv4": anything,
        "enable_ipv6": anything,
        "external": never(NO_EXTERNAL),
        "internal": anything,
        "ipam": IPAM,
        "labels": labels,
        "name": own_name,
    }
)
VOLUME: Rule = mapping_of(
    {
        "driver": only("local", "default", message=NO_DRIVER),
        "driver_opts": never(NO_OPTIONS),
        "external": never(NO_EXTERNAL),
        "labels": labels,
        "name": own_name,
    }
)
FILE: Rule = mapping_of(
    {
        "content": anything,
        "driver": never(NO_SOURCE),
        "driver_opts": never(NO_SOURCE),
        "environment": anything,
        "external": never(NO_EXTERNAL),
        "file": inside,
        "labels": labels,
        "name": own_name,
        "template_driver": never(NO_SOURCE),
    }
)
DECLARED: Rule = mapping_of(
    dict.fromkeys(("include", "name", "services", "version"), anything)
    | {"configs": each(FILE), "networks": each(NETWORK), "secrets": each(FILE), "volumes": each(VOLUME)}
)
"""What a text declares, before Compose leaves out what no service uses."""
MODEL: Rule = mapping_of(
    {
        "configs": each(FILE),
        "name": anything,
        "networks": each(NETWORK),
        "secrets": each(FILE),
        "services": each(SERVICE),
        "version": anything,
        "volumes": each(VOLUME),
    }
)
