"""A security key in software: ES256 and "none" attestation, as WebAuthn Level 2 defines them."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 1, 4, 64


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


class SoftKey:
    """Registers at one site and signs its challenges."""

    def __init__(self, *, origin: str = "https://testserver", rp_id: str = "testserver") -> None:
        self.origin, self.rp_id = origin, rp_id
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.counter = 0

    def register(self, options: dict[str, Any]) -> str:
        """What the browser posts after `navigator.credentials.create`."""
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor.encode(cose)
        data = self._authenticator_data(USER_PRESENT | USER_VERIFIED | HAS_CREDENTIAL) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", options["publicKey"]["challenge"])
        return self._credential(
            {"attestationObject": b64(attestation), "clientDataJSON": b64(client)}, {"credProps": {"rk": True}}
        )

    def sign(self, options: dict[str, Any], user_handle: bytes = b"") -> str:
        """What the browser posts after `navigator.credentials.get`."""
        self.counter += 1
        data = self._authenticator_data(USER_PRESENT | USER_VERIFIED)
        client = self._client_data("webauthn.get", options["publicKey"]["challenge"])
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "authenticatorData": b64(data),
            "clientDataJSON": b64(client),
            "signature": b64(signature),
            "userHandle": b64(user_handle),
        }
        return self._credential(response, {})

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _credential(self, response: dict[str, Any], extensions: dict[str, Any]) -> str:
        here = b64(self.credential_id)
        return json.dumps(
            {
                "id": here,
                "rawId": here,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": extensions,
            }
        )
