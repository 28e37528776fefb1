"""What a customer chose, held against the rules of a manifest."""

from __future__ import annotations

import pytest

from products.input_fields import InvalidInputs, clean_inputs


@pytest.mark.parametrize("kind", ["string", "text", "email"])
@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_character_that_cannot_be_stored_is_refused(kind: str, character: str) -> None:
    with pytest.raises(InvalidInputs, match="cannot be stored"):
        clean_inputs([{"key": "title", "type": kind}], {"title": f"jan@water{character}schap.example"})


@pytest.mark.parametrize("kind", ["string", "text", "email", "integer", "boolean"])
@pytest.mark.parametrize("value", [["Maps"], {"title": "Maps"}])
def test_list_or_mapping_is_no_value(kind: str, value: object) -> None:
    with pytest.raises(InvalidInputs, match="single value"):
        clean_inputs([{"key": "title", "type": kind}], {"title": value})


def test_everything_wrong_is_said_at_once() -> None:
    specs = [{"key": "title", "type": "string", "required": True}, {"key": "workers", "type": "integer", "max": 4}]
    with pytest.raises(InvalidInputs) as refusal:
        clean_inputs(specs, {"workers": 9, "colour": "red"})
    assert set(refusal.value.errors) == {"title", "workers", "colour"}
