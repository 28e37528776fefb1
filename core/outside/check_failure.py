"""Why a check of a web address failed: a kind and its parameters, never a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from core.text.plain_text import clean_fields

LONGEST_DETAIL = 300
LONGEST_TEXT = 2_000


class FailureKind(StrEnum):
    """What went wrong; the values are stored, so they stay as they are."""

    STATUS = "status"
    TEXT_MISSING = "text_missing"
    TIMEOUT = "timeout"
    NAME_NOT_FOUND = "name_not_found"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    CONNECT_FAILED = "connect_failed"
    CONNECTION_CLOSED = "connection_closed"
    INVALID_RESPONSE = "invalid_response"
    INVALID_COMPRESSION = "invalid_compression"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_BLOCKED = "redirect_blocked"
    ADDRESS_BLOCKED = "address_blocked"
    INVALID_ADDRESS = "invalid_address"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_SELF_SIGNED = "certificate_self_signed"
    CERTIFICATE_HOST_MISMATCH = "certificate_host_mismatch"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_INVALID = "certificate_invalid"
    TLS = "tls"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailure:
    """A failed check, the same for every monitoring backend.

    `detail` is the technical text of a library or of Zabbix. Only staff see it: it may name anything.
    """

    kind: FailureKind
    status: int | None = None
    expected: int | None = None
    text: str = ""
    seconds: float | None = None
    host: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        clean_fields(self, text=LONGEST_TEXT, host=LONGEST_DETAIL, detail=LONGEST_DETAIL)

    def to_json(self) -> dict[str, object]:
        """As it is stored: the kind and the parameters that have a value."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> CheckFailure:
        """The failure that was stored. One that a later version wrote keeps what this version knows of it."""
        names = {field.name for field in fields(cls)} - {"kind"}
        values = {name: value for name, value in stored.items() if name in names}
        kind = stored.get("kind")
        is_known = kind in list(FailureKind)
        return cls(kind=FailureKind(str(kind)) if is_known else FailureKind.OTHER, **values)  # type: ignore[arg-type]
