"""Pages speak the viewer's language and show the viewer's time."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from customers.models import User

IN_ENGLISH = ("/admin/", "/api/", "/hooks/")  # for staff and programs


def languages_on_offer() -> list[tuple[str, str]]:
    """English, and the languages this project has a catalogue for: half a translation is worse than none."""
    ours = translated(tuple(settings.LOCALE_PATHS))
    return [(code, str(name)) for code, name in settings.LANGUAGES if code == "en" or code in ours]


@functools.cache
def translated(folders: tuple[Path, ...]) -> frozenset[str]:
    """The languages that have a compiled catalogue in one of `folders`; looked up once per process."""
    return frozenset(found.parent.parent.name for folder in folders for found in folder.glob("*/LC_MESSAGES/*.mo"))


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that IANA name; the company's own when it is empty or unknown."""
    try:
        return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)


class ViewersPlaceMiddleware:
    """While a request is answered, the viewer's zone and language are active."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        viewer = request.user if isinstance(request.user, User) else None
        language = viewer.language if viewer else ""
        if language not in dict(languages_on_offer()) or request.path_info.startswith(IN_ENGLISH):
            language = settings.LANGUAGE_CODE
        with timezone.override(zone_of(viewer.time_zone if viewer else "")), translation.override(language):
            return self.get_response(request)
