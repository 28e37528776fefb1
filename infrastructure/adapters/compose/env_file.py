"""The env file from which Compose fills `${NAME}` with the order's values."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import PermanentError
from products.adapters.compose.config import env_text as written_out

# Compose and Docker take settings of their own from this file: COMPOSE_PROFILES, COMPOSE_FILE, DOCKER_HOST …
_KEPT_OUT = ("COMPOSE_", "DOCKER_")


def env_text(environment: Mapping[str, str]) -> str:
    """The text of the file; raises PermanentError for a value that no container can be given."""
    for name, value in environment.items():
        if not _is_text(value):
            raise PermanentError(f"the value of {name} holds characters that no environment variable can hold")
    return written_out({name: value for name, value in environment.items() if not name.startswith(_KEPT_OUT)})


def _is_text(value: str) -> bool:
    """False of a value with NUL or half a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
