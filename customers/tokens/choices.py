"""What an API token may be used for: scopes such as `orders:read`, and from which networks. Pure values."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

READ, WRITE = "read", "write"


class Scope(models.TextChoices):
    """The resources of the API, as scopes name them; `all` stands for every present and future resource."""

    ALL = "all", gettext_lazy("Everything")
    CUSTOMERS = "customers", gettext_lazy("Customers")
    PRODUCTS = "products", gettext_lazy("Products, releases and plans")
    ORDERS = "orders", gettext_lazy("Orders")
    SERVERS = "servers", gettext_lazy("Servers")
    SERVICES = "services", gettext_lazy("Services")
    MONITORS = "monitors", gettext_lazy("Monitors and monthly reports")
    INCIDENTS = "incidents", gettext_lazy("Incidents")
    SUBSCRIPTIONS = "subscriptions", gettext_lazy("Subscriptions")
    INVOICES = "invoices", gettext_lazy("Invoices")
    PAYMENTS = "payments", gettext_lazy("Payments")
    WEBHOOKS = "webhooks", gettext_lazy("Webhooks")
    WHMCS = "whmcs", gettext_lazy("WHMCS module")


WRITABLE = (Scope.ALL, Scope.ORDERS, Scope.SERVERS, Scope.INCIDENTS, Scope.WEBHOOKS, Scope.WHMCS)


def full_access() -> list[str]:
    """The scopes of a token without limits."""
    return [f"{Scope.ALL}:{WRITE}"]


def scope_choices() -> list[tuple[str, str]]:
    """Every scope with its label, those that read first."""
    reads = [(f"{scope.value}:{READ}", _("%(resource)s: read") % {"resource": scope.label}) for scope in Scope]
    writes = [
        (f"{scope.value}:{WRITE}", _("%(resource)s: read and change") % {"resource": scope.label}) for scope in WRITABLE
    ]
    return reads + writes


def clean_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes, sorted and each once; ValueError for an unknown scope, or for none at all."""
    asked = {scope.strip() for scope in scopes if scope.strip()}
    allowed = dict(scope_choices())
    if unknown := sorted(asked - allowed.keys()):
        raise ValueError(_("Unknown scope: %(scopes)s.") % {"scopes": ", ".join(unknown)})
    if not asked:
        raise ValueError(_("Choose at least one scope."))
    return sorted(asked)


def covers(scopes: Iterable[str], resource: str, *, write: bool) -> bool:
    """True when one of the scopes allows reading (or changing) the resource; a right to change includes reading."""
    enough = {WRITE} if write else {READ, WRITE}
    return any(name in (resource, Scope.ALL) and right in enough for name, _colon, right in map(_parts, scopes))


def clean_networks(networks: Iterable[str]) -> list[str]:
    """Networks and single addresses in CIDR form; ValueError for anything else."""
    found = []
    for text in networks:
        if not text.strip():
            continue
        try:
            found.append(str(ipaddress.ip_network(text.strip())))
        except ValueError as error:
            message = _("“%(text)s” is not an IP address or network such as 203.0.113.0/24.")
            raise ValueError(message % {"text": text.strip()}) from error
    return found


def is_within(address: str, networks: Iterable[str]) -> bool:
    """True when `address` lies in one of the networks, or when there is no limit."""
    ranges = [ipaddress.ip_network(network) for network in networks]
    if not ranges:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return any((mapped or caller) in network for network in ranges)


def _parts(scope: str) -> tuple[str, str, str]:
    return scope.partition(":")
