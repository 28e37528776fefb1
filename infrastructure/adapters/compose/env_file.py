"""The env file with the order's values, for `${NAME}` in the compose file."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import PermanentError
from products.adapters.compose.config import env_text as written_out

# Compose and Docker read settings of their own from this file: COMPOSE_PROFILES, COMPOSE_FILE, DOCKER_HOST …
_RESERVED = ("COMPOSE_", "DOCKER_")


def env_text(environment: Mapping[str, str]) -> str:
    """The text of the file; raises PermanentError for a value that no environment variable can hold."""
    for name, value in environment.items():
        if not _is_text(value):
            raise PermanentError(f"the value of {name} holds characters that no environment variable can hold")
    return written_out({name: value for name, value in environment.items() if not name.startswith(_RESERVED)})


def _is_text(value: str) -> bool:
    """False for a value with NUL or half a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
