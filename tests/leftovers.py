"""What a test must put back, or another fails by it later: settings, environment, and the clock's correction."""

from __future__ import annotations

import os

from django.conf import settings

from core import clock

OF_PYTEST = "PYTEST_CURRENT_TEST"
OF_PYTEST_DJANGO = {"ALLOWED_HOSTS", "DATABASES", "DEBUG"}  # set for the whole run with the first database and server


def shared_state() -> dict[str, str]:
    """All that tests of one process share, by name, as it can be compared: a changed value in a dict shows."""
    names = {name for name in dir(settings) if name.isupper()} - OF_PYTEST_DJANGO
    return {
        "the clock's correction": repr(clock._ahead),
        **{f"settings.{name}": repr(getattr(settings, name)) for name in names},
        **{f"os.environ[{name!r}]": value for name, value in os.environ.items() if name != OF_PYTEST},
    }


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names of what is not as it was; their values may be secret."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
