"""How secrets are generated: by length and alphabet. Pure."""

from __future__ import annotations

import math
import secrets
import string
from collections.abc import Mapping
from typing import Any

LENGTH = 24
READABLE_NAME = "readable"
READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no two look alike
SIGNS = "-_.~"  # need no quoting in shells, URLs, YAML or env files
ALPHABETS: Mapping[str, str] = {
    READABLE_NAME: READABLE,
    "alphanumeric": string.ascii_letters + string.digits,
    "symbols": string.ascii_letters + string.digits + SIGNS,
    "lowercase": string.ascii_lowercase + string.digits,
    "hex": "0123456789abcdef",
    "digits": string.digits,
}
MIXED = ("alphanumeric", "symbols")
"""Some programs insist on a character of each kind."""
KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SIGNS)
LEAST_BITS = 60


def generate_secret(spec: Mapping[str, Any]) -> str:
    """A new value for a secret of a manifest; of a mixed alphabet, with at least one character of each kind."""
    name, length = spec.get("alphabet", READABLE_NAME), int(spec.get("length", LENGTH))
    alphabet = ALPHABETS[name]
    wanted = [kind for kind in KINDS if name in MIXED and set(kind) & set(alphabet)]
    while True:
        value = "".join(secrets.choice(alphabet) for _position in range(length))
        # A value that begins with a hyphen would be taken for an option.
        if value[0] not in SIGNS and all(set(kind) & set(value) for kind in wanted):
            return value


def shortest_length(alphabet: str) -> int:
    """The least number of characters that cannot be guessed."""
    return math.ceil(LEAST_BITS / math.log2(len(ALPHABETS[alphabet])))
