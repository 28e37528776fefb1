"""Who wrote a push, and when: an HMAC over the time and the body, in one header. Pure values."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

HEADER = "X-Live-Signature"
TOLERANCE = timedelta(minutes=5)
SHAPE = re.compile(r"t=(?P<at>\d{1,12}),v1=(?P<digest>[0-9a-f]{64})")


class NotSigned(Exception):
    """Nobody who knows the secret wrote this."""


class OutOfTime(NotSigned):
    """It was signed long ago, or the clocks differ."""


def sign(secret: str, body: bytes, *, at: datetime) -> str:
    """The header's value."""
    moment = str(int(at.timestamp()))
    return f"t={moment},v1={_digest(secret, moment, body)}"


def check(secret: str, body: bytes, header: str, *, now: datetime) -> None:
    """Raises NotSigned or OutOfTime unless `body` was signed with `secret` a moment ago."""
    found = SHAPE.fullmatch(header.strip())
    if found is None or not hmac.compare_digest(found["digest"], _digest(secret, found["at"], body)):
        raise NotSigned
    if abs(now - datetime.fromtimestamp(int(found["at"]), UTC)) > TOLERANCE:
        raise OutOfTime


def _digest(secret: str, moment: str, body: bytes) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
