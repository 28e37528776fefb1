"""Key pairs of our own making, in OpenSSH's text."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """An ed25519 key pair: of ours, to be let in; or of a server, to be known by."""

    private: str = field(repr=False)
    public: str


def new_key_pair(comment: str) -> KeyPair:
    """A key pair nobody has had before."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return KeyPair(private=private.decode(), public=f"{public.decode()} {' '.join(comment.split())}".strip())


def bare(public: str) -> str:
    """The kind and the key, without options and comment; ValueError if the text is no public key."""
    words = public.split()
    if len(words) < 2 or not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise ValueError("this is not the text of a public key")
    try:
        base64.b64decode(words[1], validate=True)
    except binascii.Error as error:
        raise ValueError("this is not the text of a public key") from error
    return f"{words[0]} {words[1]}"


def fingerprint(public: str) -> str:
    """What `ssh-keygen -l` says of a public key, as in `SHA256:…`."""
    digest = hashlib.sha256(base64.b64decode(bare(public).split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
