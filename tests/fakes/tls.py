"""A certificate that nobody vouches for, to serve with."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def self_signed(folder: Path, *, until: datetime | None = None) -> ssl.SSLContext:
    """Serves as 127.0.0.1 with a certificate that expires at `until`, tomorrow unless told."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    until = until or datetime.now(UTC) + timedelta(days=1)
    since = min(datetime.now(UTC), until) - timedelta(days=1)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, since, until).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    both = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(both + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context
