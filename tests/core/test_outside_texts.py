"""What other systems answer is cleaned where it comes in: it can be stored, shown, and put into XML."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutsideError, TransientError
from core.outside.check_failure import CheckFailure, FailureKind
from core.text.plain_text import LONGEST_MESSAGE, clean_text, clean_value, is_plain_text, read_json
from infrastructure.contracts.cloud import Choice, Node, NodeState, SizeOffer
from infrastructure.contracts.runtime import InProgress, LeftBehind, Machine, PortTaken, Service, ServiceState
from products.contracts import DamagedSource, ProductSource

# What is written right to left after U+202E reads as another name: exe.pdf for fdp.exe.
DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("character", [*DIRECTIONS, "\0", "\x07", "\x1b", "\x7f", "\x9b", "\ud800", "\uffff"])
def test_character_that_hides_or_breaks_is_not_plain_and_is_taken_out(character: str) -> None:
    assert not is_plain_text(f"a{character}b")
    assert clean_text(f"a{character}b") in ("ab", "a\ufffdb")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("quota\nexceeded\tat 10 %", "quota\nexceeded\tat 10 %"),
        ("\x1b[1;31merror\x1b[0m: no space", "error: no space"),
        ("\x1b]0;title\x07done", "done"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("half a letter \ud83d", "half a letter \ufffd"),
        ("two halves \ud83d\ude00", "two halves 😀"),
        ("שלום \u200fעולם", "שלום \u200fעולם"),
        ("Zürich 東京 🗺️", "Zürich 東京 🗺️"),
        ("\udcff", "\ufffd"),
        ("", ""),
    ],
)
def test_text_keeps_what_people_read(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@given(st.text(st.characters()))
def test_cleaned_text_is_plain_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert is_plain_text(cleaned)
    assert clean_text(cleaned) == cleaned


def test_text_that_is_too_long_shows_that_it_was_cut() -> None:
    assert clean_text("x" * 11, 10) == "x" * 9 + "…"
    assert clean_text("x" * 10, 10) == "x" * 10
    assert len(clean_text("x" * 1_000_000)) == LONGEST_MESSAGE


def test_json_is_cleaned_at_any_depth_and_only_its_texts() -> None:
    value = {"na\0me": ["\x1b[1mup\x1b[0m", {"deep": ("\u202efdp.exe", 7, None, True, 1.5)}]}
    assert clean_value(value) == {"name": ["up", {"deep": ["fdp.exe", 7, None, True, 1.5]}]}


def test_json_from_another_system_is_read_cleaned() -> None:
    assert read_json(b'{"city": "Ede\\u0000\\ud800", "n": 1}') == {"city": "Ede\ufffd", "n": 1}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'"\xff"', b"NaN", b'{"a": -Infinity}', b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000],
    ids=["nothing", "half", "no UTF-8", "NaN", "infinite", "bottomless", "deep"],
)
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(body)


@pytest.mark.parametrize(
    "error",
    [OutsideError("a\0\u202eb"), TransientError("a\x1b[0mb"), InProgress("a\x07b"), PortTaken("a\x9bb", port=80)],
)
def test_message_of_an_outside_error_is_plain(error: OutsideError) -> None:
    assert str(error) == "ab"
    assert str(OutsideError()) == ""


def test_failure_of_a_check_holds_plain_texts() -> None:
    failure = CheckFailure(kind=FailureKind.OTHER, text="a\0b", host="h\x1b[1m", detail="\u202e" + "x" * 1000)
    assert (failure.text, failure.host, len(failure.detail)) == ("ab", "h", 300)
    assert CheckFailure.from_json(failure.to_json()) == failure


BAD = "a\0\u202eb"
VALUES: dict[str, tuple[object, tuple[str, ...]]] = {
    "node": (
        Node(outside_id=BAD, key=BAD, state=NodeState.RUNNING, address=BAD, size=BAD),
        ("outside_id", "key", "address", "size"),
    ),
    "size": (SizeOffer(outside_id=BAD, name=BAD, cpus=1, ram_gb=1, disk_gb=1), ("outside_id", "name")),
    "choice": (Choice(outside_id=BAD, name=BAD), ("outside_id", "name")),
    "service": (Service(name=BAD, state=ServiceState.RUNNING, image=BAD), ("name", "image")),
    "machine": (Machine(version=BAD), ("version",)),
    "leftover": (LeftBehind(kind="volume", name=BAD), ("name",)),
    "source": (
        ProductSource(
            slug="maps",
            version="v1",
            manifest_text="",
            compose_text="",
            bundle=b"",
            digest="",
            author=BAD,
            message=BAD,
        ),
        ("author", "message"),
    ),
    "damage": (DamagedSource(slug=BAD, version="v1", problem=BAD), ("slug", "problem")),
}


@pytest.mark.parametrize("name", VALUES)
def test_value_of_a_vendor_is_clean_from_the_start(name: str) -> None:
    value, fields = VALUES[name]
    assert {field: getattr(value, field) for field in fields} == dict.fromkeys(fields, "ab")


@pytest.mark.parametrize(
    ("value", "field", "longest"),
    [
        (Node(outside_id="i" * 999, key="", state=NodeState.RUNNING), "outside_id", 200),
        (Node(outside_id="", key="", state=NodeState.RUNNING, size="i" * 999), "size", 100),
        (Service(name="i" * 999, state=ServiceState.RUNNING), "name", 100),
        (Service(name="", state=ServiceState.RUNNING, image="i" * 999), "image", 250),
        (Machine(version="i" * 999), "version", 60),
    ],
)
def test_value_of_a_vendor_fits_its_column(value: Any, field: str, longest: int) -> None:
    assert len(getattr(value, field)) == longest
