"""The library as an app: it has the tables that every room shares."""

from __future__ import annotations

from django.apps import AppConfig


class LibConfig(AppConfig):
    """live.lib, known to Django as `lib`."""

    name = "live.lib"
    label = "lib"
