"""What members read when a service refuses what they asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from core.errors import Refusal


@contextmanager
def refusals_shown(request: HttpRequest) -> Iterator[None]:
    """A refusal ends the block, and the next page shows its message."""
    try:
        yield
    except Refusal as refusal:
        messages.error(request, refusal.message)
