"""Makes the adapter that watches: the one place that tests replace."""

from __future__ import annotations

from monitoring.adapters.builtin import BuiltinWatch
from monitoring.adapters.words import Watch


def get_watch() -> Watch:
    """Whatever watches the addresses of all orders."""
    return BuiltinWatch()
