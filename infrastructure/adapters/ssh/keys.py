"""Key pairs that we generate, in OpenSSH's text format."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """An ed25519 key pair: for our login, or a server's host key."""

    private: str = field(repr=False)
    public: str


def new_key_pair(comment: str) -> KeyPair:
    """A new key pair."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return KeyPair(private=private.decode(), public=f"{public.decode()} {' '.join(comment.split())}".strip())


def bare(public: str) -> str:
    """The kind and the key, without options and comment; ValueError if the text is not a public key."""
    fields = public.split()
    if len(fields) < 2 or not fields[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError("this is not the text of a public key")
    try:
        base64.b64decode(fields[1], validate=True)
    except binascii.Error as error:
        raise ValueError("this is not the text of a public key") from error
    return f"{fields[0]} {fields[1]}"


def fingerprint(public: str) -> str:
    """The fingerprint of a public key as `ssh-keygen -l` shows it: `SHA256:…`."""
    digest = hashlib.sha256(base64.b64decode(bare(public).split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
