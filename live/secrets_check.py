"""Do the keys of this process open the stored secrets? A sealed canary answers without touching a real secret."""

from __future__ import annotations

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from live.models import SecretsCanary

logger = logging.getLogger(__name__)

OK, WRONG_KEY, NOT_SET_UP = "ok", "wrong key", "not set up"
WRONG_KEY_MESSAGE = (
    "The stored secrets do not open with SECRETS_KEYS (or with SECRET_KEY, from which the key is derived while "
    "SECRETS_KEYS is empty). Put the former key back, behind the new one, and run manage.py reseal."
)


def secrets_status() -> str:
    """`ok`, `wrong key`, or `not set up` before `manage.py setup` has run; one query."""
    try:
        return OK if SecretsCanary.objects.first() else NOT_SET_UP
    except ImproperlyConfigured:
        return WRONG_KEY


def write_canary() -> None:
    """There is a canary; raises ImproperlyConfigured when the present keys do not open the one that is there."""
    if secrets_status() == WRONG_KEY:
        raise ImproperlyConfigured(WRONG_KEY_MESSAGE)
    SecretsCanary.objects.get_or_create(pk=1, defaults={"sealed": "canary"})


def report_wrong_key() -> None:
    """Says so in the log of a starting web process; pages that show no secret still work."""
    try:
        if secrets_status() == WRONG_KEY:
            logger.critical(WRONG_KEY_MESSAGE)
    except DatabaseError:
        return  # /readyz says it
