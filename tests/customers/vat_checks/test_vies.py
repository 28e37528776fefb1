"""The adapter of VIES against a double over real HTTP: every documented fault, and answers that are none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import ConfigError, PermanentError, TransientError
from customers.vat_checks.vies import BUSY, OUR_MISTAKE, PREFIXES, Vies
from tests.doubles.vies.server import FAULTS, ViesDouble


def ask(vies: ViesDouble, vat_id: str = "BE0428759497", **options: object) -> object:
    return Vies(url=vies.url, **{"timeout": (2.0, 2.0), **options}).check(vat_id)


def test_a_number_in_use_comes_with_its_proof(vies: ViesDouble) -> None:
    answer = ask(vies, requester="NL861234567B84")
    assert (answer.is_valid, answer.name, answer.address) == (True, "Kaarten NV", "")
    assert answer.consultation_number == "WAPIAAAA00000001"
    assert vies.questions == [
        {
            "countryCode": "BE",
            "vatNumber": "0428759497",
            "requesterMemberStateCode": "NL",
            "requesterNumber": "861234567B84",
        }
    ]


def test_a_number_not_in_use_and_no_requester(vies: ViesDouble) -> None:
    answer = ask(vies, "BE0403019261")
    assert (answer.is_valid, answer.consultation_number, answer.name) == (False, "", "")
    assert vies.questions == [{"countryCode": "BE", "vatNumber": "0403019261"}]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_documented_fault_says_who_acts_next(vies: ViesDouble, fault: str) -> None:
    vies.fault = fault
    kind = TransientError if fault in BUSY else ConfigError if fault in OUR_MISTAKE else PermanentError
    with pytest.raises(kind, match=fault) as raised:
        ask(vies)
    assert type(raised.value) is kind
    if isinstance(raised.value, TransientError):
        assert raised.value.retry_in is not None
        assert raised.value.retry_in >= timedelta(seconds=30)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, b"", TransientError),
        (503, b"<html>down</html>", TransientError),
        (429, b"", TransientError),
        (404, b"", PermanentError),
        (200, b"<html>maintenance</html>", TransientError),
        (200, b"[]", TransientError),
        (200, b'{"valid": "yes"}', TransientError),
        (200, b'{"errorWrappers": "none", "valid": null}', TransientError),
        (400, b'{"errorWrappers": [{"error": "MS_UNAVAILABLE"}]}', TransientError),
    ],
)
def test_what_is_no_answer_decides_nothing(vies: ViesDouble, status: int, body: bytes, kind: type[Exception]) -> None:
    vies.status, vies.body = status, body
    with pytest.raises(kind) as raised:
        ask(vies)
    assert type(raised.value) is kind


def test_silence_ends_at_the_time_out(vies: ViesDouble) -> None:
    vies.delay = 0.5
    with pytest.raises(TransientError, match="VIES"):
        ask(vies, timeout=(0.1, 0.1))


def test_nobody_there(socket_enabled: None) -> None:
    with pytest.raises(TransientError, match="VIES"):
        Vies(url="http://127.0.0.1:9", timeout=(0.5, 0.5)).check("BE0428759497")


def test_the_prefixes_are_those_of_the_member_states_and_northern_ireland() -> None:
    assert len(PREFIXES) == 28
    assert {"EL", "XI"} <= PREFIXES
    assert not {"GR", "GB", "CH"} & PREFIXES
