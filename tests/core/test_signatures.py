"""A push is taken only from whoever holds the secret, and only while it is fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.signatures import TOLERANCE, NotSigned, OutOfTime, check, sign

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BODY = b'{"key": "live-GL7K3M"}'


def test_what_was_signed_a_moment_ago_is_taken() -> None:
    check("secret", BODY, f"  {sign('secret', BODY, at=NOON)} ", now=NOON + timedelta(seconds=5))


@pytest.mark.parametrize("late_by", [TOLERANCE + timedelta(seconds=1), -TOLERANCE - timedelta(seconds=1)])
def test_what_is_old_or_from_the_future_is_out_of_time(late_by: timedelta) -> None:
    with pytest.raises(OutOfTime):
        check("secret", BODY, sign("secret", BODY, at=NOON), now=NOON + late_by)


@pytest.mark.parametrize(("secret", "body"), [("another", BODY), ("secret", BODY + b" "), ("secret", b""), ("", BODY)])
def test_another_secret_or_body_is_refused(secret: str, body: bytes) -> None:
    with pytest.raises(NotSigned):
        check(secret, body, sign("secret", BODY, at=NOON), now=NOON)


def test_the_time_is_part_of_what_is_signed() -> None:
    forged = sign("secret", BODY, at=NOON).replace(str(int(NOON.timestamp())), str(int(NOON.timestamp()) + 60))
    with pytest.raises(NotSigned):
        check("secret", BODY, forged, now=NOON)


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=" + "0" * 64, "t=x,v1=" + "0" * 64, "t=1,v1=" + "0" * 63, "t=1,v1=é"]
)
def test_a_header_of_another_shape_is_refused(header: str) -> None:
    with pytest.raises(NotSigned):
        check("secret", BODY, header, now=NOON)
