"""Failures in words for people, whichever backend found them."""

from __future__ import annotations

import pytest
from django.utils import translation

from core.outside.check_failure import CheckFailure, FailureKind
from core.outside.check_messages import MESSAGES, failure_message, success_message

K = FailureKind
PARAMETERS = [
    (CheckFailure(kind=K.STATUS, status=503, expected=200), "HTTP 503 instead of 200"),
    (CheckFailure(kind=K.STATUS, status=503), "HTTP 503"),
    (CheckFailure(kind=K.TEXT_MISSING, text="WMS"), "Expected text “WMS” not found in the response"),
    (CheckFailure(kind=K.TEXT_MISSING), "Expected text not found in the response"),
    (CheckFailure(kind=K.TIMEOUT, seconds=1.0), "Timed out after 1 second"),
    (CheckFailure(kind=K.TIMEOUT, seconds=0.5), "Timed out after 0.5 seconds"),
    (CheckFailure(kind=K.TIMEOUT), "Timed out"),
]


@pytest.mark.parametrize(("failure", "message"), PARAMETERS)
def test_parameters_stand_in_the_message(failure: CheckFailure, message: str) -> None:
    assert failure_message(failure) == message


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_a_message_that_keeps_the_detail_to_itself(kind: FailureKind) -> None:
    message = failure_message(CheckFailure(kind=kind, detail="PANIC at 10.0.0.7"))
    assert message
    assert "PANIC" not in message


def test_message_is_made_in_the_language_of_the_reader() -> None:
    failure = CheckFailure(kind=FailureKind.CONNECTION_REFUSED)
    with translation.override(None):
        assert failure_message(failure) == str(MESSAGES[failure.kind])


def test_timeout_without_its_time_takes_the_limit_of_the_check() -> None:
    assert failure_message(CheckFailure(kind=FailureKind.TIMEOUT), max_seconds=15.0) == "Timed out after 15 seconds"


def test_no_failure_has_no_message() -> None:
    assert failure_message(None) == ""
    assert success_message(204) == "HTTP 204"


@pytest.mark.parametrize("failure", [failure for failure, _message in PARAMETERS])
def test_failure_is_stored_and_read_back_whole(failure: CheckFailure) -> None:
    assert CheckFailure.from_json(failure.to_json()) == failure


def test_failure_of_a_later_version_is_still_read() -> None:
    assert CheckFailure.from_json({"kind": "new", "detail": "x", "more": 1}) == CheckFailure(kind=K.OTHER, detail="x")
