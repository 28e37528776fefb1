"""Values of WHMCS are read whichever way the documentation shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from customers.whmcs.client_record import ClientDetails, ClientSummary
from customers.whmcs.parsing import read_date, read_id, read_list, read_money, redact, unflatten
from customers.whmcs.php_values import NotSerialized, decode_fields, encode_fields, serialize, unserialize


@pytest.mark.parametrize(("value", "expected"), [(7, 7), ("7", 7), (" 7 ", 7), (0, None), ("", None), ("x", None)])
def test_id_is_a_number_or_text(value: object, expected: int | None) -> None:
    assert read_id(value) == expected


@pytest.mark.parametrize(
    "answer",
    [
        {"clients": {"client": [{"id": 1}]}},
        {"clients": [{"id": 1}]},
        {"clients": {"client": {"id": 1}}},
        {"clients": {"client": {"0": {"id": 1}}}},
    ],
)
def test_list_is_found_however_it_is_wrapped(answer: dict[str, Any]) -> None:
    assert read_list(answer, "clients", "client") == [{"id": 1}]


@pytest.mark.parametrize("value", ["", [], None, {"client": ""}, {"client": []}])
def test_empty_list_has_many_forms(value: object) -> None:
    assert read_list({"clients": value}, "clients", "client") == []


def test_cycle_that_is_not_offered_has_no_price_and_no_date_is_no_day() -> None:
    assert read_money("1,049.50") == Decimal("1049.50")
    assert (read_money("-1.00"), read_money(""), read_date("0000-00-00")) == (None, None, None)


def test_flattened_keys_become_lists() -> None:
    flat = {"result": "success", "queue[1][id]": "8", "queue[0][id]": "7"}
    assert unflatten(flat) == {"result": "success", "queue": [{"id": "7"}, {"id": "8"}]}


def test_passwords_are_redacted_at_any_depth() -> None:
    answer = {"products": {"product": [{"id": 1, "password": "hunter2", "servicepassword": "x"}]}, "secret": "s"}
    assert "hunter2" not in str(redact(answer))
    assert redact(answer)["products"]["product"][0]["id"] == 1


@pytest.mark.parametrize("value", ["Straße", 7, -1, 1.5, True, False, None, {"a": {0: "x"}}, {}])
def test_php_value_survives_both_ways(value: Any) -> None:
    assert unserialize(serialize(value)) == value


def test_custom_fields_are_written_as_php_does() -> None:
    assert serialize({1: "é"}) == b'a:1:{i:1;s:2:"\xc3\xa9";}'
    assert decode_fields(encode_fields({1: "é"})) == {1: "é"}


@pytest.mark.parametrize(
    "raw", [b"", b"i:", b's:99:"x";', b"i:1;i:2;", b'O:8:"stdClass":0:{}', b"a:1:{a:0:{}i:1;}", b"a:1:{" * 40]
)
def test_what_php_would_not_write_is_refused(raw: bytes) -> None:
    with pytest.raises(NotSerialized):
        unserialize(raw)


def test_client_is_read_with_its_entities_and_without_its_password() -> None:
    item = {"userid": "7", "companyname": "Smith &amp; Co", "countrycode": "nl", "password": "hunter2"}
    details = ClientDetails.read(item)
    assert details is not None
    assert (details.client_id, details.company, details.country) == (7, "Smith & Co", "NL")
    assert "hunter2" not in repr(details)


def test_digest_changes_with_the_list_entry_only() -> None:
    first, second = (ClientSummary.read({"id": 1, "email": email, "lastlogin": "x"}) for email in ("a", "b"))
    assert first is not None
    assert second is not None
    assert first.digest != second.digest
    assert first.digest == ClientSummary(client_id=1, email="a").digest
