"""Columns that are unreadable in the database and absent from every `repr`."""

from __future__ import annotations

import base64
import hashlib
import json
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

HUNDREDTH = Decimal("0.01")


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _keys() -> tuple[str, ...]:
    # The derived key comes last, so that what it sealed still opens after SECRETS_KEYS is set for the first time.
    # The prefix is this module's former name: another one would lose every secret that is stored already.
    derived = hashlib.sha256(b"live.lib.encrypted:" + settings.SECRET_KEY.encode()).digest()
    return (*settings.SECRETS_KEYS, base64.urlsafe_b64encode(derived).decode())


def encrypt(text: str) -> str:
    """`text` sealed with the newest key."""
    return _box(_keys()).encrypt(text.encode()).decode()


def decrypt(sealed: str) -> str:
    """What `encrypt` was given; raises ImproperlyConfigured when no present key opens it."""
    try:
        return _box(_keys()).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured("A stored secret does not open with SECRETS_KEYS (or SECRET_KEY)") from error


def is_sealed_with_newest_key(sealed: str) -> bool:
    """True when no older key is needed to open it."""
    try:
        Fernet(_keys()[0]).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


if TYPE_CHECKING:
    AnyTextField = models.TextField[Any, Any]
    MoneyField = models.DecimalField  # with the types that the plugin gives to a column, null or not
else:
    AnyTextField = models.TextField


class EncryptedJSONField(AnyTextField):
    """A JSON value sealed at rest; plain in Python only."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encrypt(json.dumps(value))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        return None if value is None else json.loads(decrypt(value))

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.get_prep_value(self.value_from_object(obj)))

    def to_python(self, value: Any) -> Any:
        return value


if not TYPE_CHECKING:

    class MoneyField(models.DecimalField):
        """An amount in any currency: up to three decimals are kept, and the third is read only where there is one.

        So 49.00 euros are 49.00 again, and 4.125 dinars 4.125.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{"max_digits": 15, "decimal_places": 3, **kwargs})

        def from_db_value(self, value: Decimal | None, expression: Any, connection: Any) -> Decimal | None:
            """The amount with two decimals, or with three."""
            if value is None:
                return None
            hundredths = value.quantize(HUNDREDTH)
            return hundredths if hundredths == value else value
