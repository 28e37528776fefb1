"""An authority of the tests' own, and the certificates that it gives."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """Vouches for servers, and is trusted by whoever is given its certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab authority")])
        now = datetime.now(UTC)
        draft = x509.CertificateBuilder(self.name, self.name, self.key.public_key(), 1, now - DAY, now + DAY)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        made = draft.add_extension(basic, critical=True).add_extension(identifier, critical=False)
        self.file = folder / "authority.pem"
        self.file.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def vouch(self, *, since: datetime, until: datetime, address: str = "127.0.0.1") -> ssl.SSLContext:
        """Serves with a certificate for `address`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certify(since=since, until=until, address=address))
        return context

    def certify(self, *, since: datetime, until: datetime, address: str = "127.0.0.1") -> Path:
        """A file with a certificate for `address` and its key; a server that loads it shows it from then on."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        draft = x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number(), since, until)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = draft.add_extension(names, critical=False).add_extension(authority, critical=False)
        both = self.folder / f"{since:%f}{until:%f}{address}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        signed = made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        both.write_bytes(private + signed)
        return both
