"""What can go wrong, and who acts next.

Adapters raise `OutsideError`s; services raise `Refusal`s; anything else is a bug and is left to fly.
"""

from __future__ import annotations

from datetime import timedelta

from core.text.plain_text import clean_text


class OutsideError(Exception):
    """An outside system did not do what was asked; the message is fit for staff and holds no secret.

    Outside systems' own words are part of many messages, so each is cleaned here.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(clean_text(message))


class TransientError(OutsideError):
    """It may work later: time-outs, refused connections, 429, 5xx, "still building".

    `retry_in` is the outside's own wish (Retry-After), or how long a known wait takes.
    """

    def __init__(self, message: str, *, retry_in: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_in = retry_in


class PermanentError(OutsideError):
    """It will not work until somebody changes something: quota, refused name, unknown plan, other 4xx."""


class ConfigError(PermanentError):
    """The settings are wrong: 401, 403, bad URL, missing project."""


class Refusal(Exception):
    """A rule of ours forbids what was asked; the message is fit for whoever asked.

    `field` names the input that is wrong, where there is one: forms and the API show it there.
    """

    code = "refused"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
