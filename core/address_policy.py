"""Which private networks may be reached, by this site's settings."""

from __future__ import annotations

from django.conf import settings

from core.outside.address_guard import AddressGuard


def address_guard() -> AddressGuard:
    """The guard for every address that people give us, and for redirects that lead elsewhere."""
    return AddressGuard.of_ranges(settings.ALLOWED_PRIVATE_RANGES)
