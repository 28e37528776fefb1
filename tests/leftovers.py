"""What the tests of a file must put back, or others fail by it: settings, environment, and the clock's correction."""

from __future__ import annotations

import os

from django.conf import settings

from core import clock

# What holds for longer than a file: the database and the server of a run, the browser of a folder.
SETTINGS_OF_A_RUN = {"ALLOWED_HOSTS", "DATABASES", "DEBUG"}
VARIABLES_OF_A_RUN = {"PYTEST_CURRENT_TEST", "DJANGO_ALLOW_ASYNC_UNSAFE"}


def shared_state() -> dict[str, str]:
    """All that tests of one process share, by name, as it can be compared: a changed value in a dict shows."""
    names = {name for name in dir(settings) if name.isupper()} - SETTINGS_OF_A_RUN
    return {
        "the clock's correction": repr(clock._ahead),
        **{f"settings.{name}": repr(getattr(settings, name)) for name in names},
        **{f"os.environ[{name!r}]": value for name, value in os.environ.items() if name not in VARIABLES_OF_A_RUN},
    }


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The names of what is not as it was; their values may be secret."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
