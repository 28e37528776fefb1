"""Which private networks may be reached, by this site's settings."""

from __future__ import annotations

from django.conf import settings

from core.outside.address_guard import AddressGuard


def address_guard() -> AddressGuard:
    """The guard for every address entered by people, and for redirects to other hosts."""
    return AddressGuard.of_ranges(settings.ALLOWED_PRIVATE_RANGES)
