"""References that people can read out over the telephone."""

from __future__ import annotations

import secrets

# No 0/O, 1/I/L, 5/S, 8/B, and no vowels that would spell words.
ALPHABET = "23467CDFGHJKMNPQRTVWXYZ"


def new_reference(prefix: str, length: int = 4) -> str:
    """A random reference such as `GL7K3M`; the caller's unique column catches the rare repeat."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))
