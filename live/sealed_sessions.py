"""Sessions in the database whose content is sealed: whoever reads the table reads no sign-in code."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.exceptions import ImproperlyConfigured

from core.fields import decrypt, encrypt


class SessionStore(DatabaseStore):
    """Django's own store of sessions, sealed with the keys of every other secret."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """The session as it is stored."""
        return encrypt(super().encode(session_dict))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """The session as it was; empty when no present key opens it, so that its owner signs in again."""
        text = session_data.decode() if isinstance(session_data, bytes) else session_data
        try:
            return super().decode(decrypt(text))
        except ImproperlyConfigured:
            return {}
