"""The inputs of a manifest as form fields, and what they take and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from products.input_fields import InvalidInputs, clean_inputs, clean_inputs_by, customer_inputs, form_field


@pytest.mark.parametrize("kind", ["string", "text", "email"])
@pytest.mark.parametrize("character", ["\0", "\ud800", "\x1b", "\u202e"])
def test_control_character_is_refused(kind: str, character: str) -> None:
    with pytest.raises(InvalidInputs, match="control characters"):
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


@pytest.mark.parametrize(
    ("spec", "value", "kept"),
    [
        ({"type": "string"}, " two  spaces ", " two  spaces "),
        ({"type": "string"}, 7, "7"),
        ({"type": "text"}, "a\nb\n", "a\nb\n"),
        ({"type": "string", "pattern": "[a-z]+|[0-9]+"}, "42", "42"),
        ({"type": "integer", "min": 1, "max": 4}, "4", 4),
        ({"type": "integer"}, "007", 7),
        ({"type": "integer"}, "", ""),
        ({"type": "boolean"}, "off", False),
        ({"type": "boolean"}, True, True),
        ({"type": "boolean", "default": True}, False, False),
        ({"type": "choice", "choices": [{"value": 1, "label": "One"}]}, 1, "1"),
        ({"type": "email"}, "gis@delft.example", "gis@delft.example"),
        ({"type": "string", "default": "Maps"}, "", "Maps"),
        ({"type": "string", "default": "Maps", "required": True}, None, "Maps"),
    ],
)
def test_values_are_kept_as_their_type(spec: dict[str, Any], value: object, kept: object) -> None:
    assert clean_inputs([{"key": "it", **spec}], {"it": value}) == {"it": kept}


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        ({"type": "string"}, "a\nb", "Use one line."),
        ({"type": "string", "min_length": 3}, "ab", "Use at least 3 characters."),
        ({"type": "string", "max_length": 3}, "abcd", "Use at most 3 characters."),
        ({"type": "string"}, "x" * 2001, "Use at most 2000 characters."),
        ({"type": "string", "pattern": "[a-z]+|[0-9]+"}, "ab1", "This does not match the required format."),
        ({"type": "string", "pattern": "[a-z]+"}, "ab\n", "Use one line. This does not match the required format."),
        ({"type": "integer", "min": 1, "max": 4}, "5", "Use a number from 1 to 4."),
        ({"type": "integer"}, "1.5", "Use a whole number."),
        ({"type": "integer"}, True, "Use a whole number."),
        ({"type": "boolean"}, "maybe", "Use true or false."),
        ({"type": "choice", "choices": [{"value": "100%"}, {"value": "b"}]}, "c", "Choose one of: 100%, b."),
        ({"type": "email"}, "nobody", "Use an e-mail address."),
        ({"type": "string", "required": True}, "", "This field is required."),
    ],
)
def test_what_breaks_a_rule_is_refused_in_a_sentence(spec: dict[str, Any], value: object, message: str) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        clean_inputs([{"key": "it", **spec}], {"it": value})
    assert refusal.value.errors == {"it": message}


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("default", [None, "", "Maps"])
def test_a_form_asks_for_what_is_required_and_has_no_default(required: bool, default: str | None) -> None:
    spec = {"key": "title", "type": "string", "label": "Title", "required": required, "default": default}
    assert form_field(spec).required == (required and not default)


def test_a_choice_without_a_default_begins_with_nothing_chosen() -> None:
    spec = {"key": "size", "type": "choice", "label": "Size", "choices": [{"value": "s"}]}
    assert [value for value, _label in form_field(spec).choices] == ["", "s"]
    assert [value for value, _label in form_field({**spec, "default": "s"}).choices] == ["s"]


# --- Inputs that only staff set -------------------------------------------------------------------------------------
SPECS = [
    {"key": "title", "label": "Title", "type": "string"},
    {"key": "agent", "label": "Agent", "type": "string", "default": "zabbix.invalid", "staff": True},
]


def test_customers_are_not_asked_and_get_the_default() -> None:
    assert [spec["key"] for spec in customer_inputs(SPECS)] == ["title"]
    assert clean_inputs_by(SPECS, {"title": "A"}, is_staff=False) == {"title": "A", "agent": "zabbix.invalid"}


def test_customers_cannot_give_what_staff_set() -> None:
    with pytest.raises(InvalidInputs) as refusal:
        clean_inputs_by(SPECS, {"title": "A", "agent": "evil.example"}, is_staff=False)
    assert refusal.value.errors == {"agent": "Only our staff can set this."}


def test_what_staff_set_stays_when_a_customer_changes_the_rest() -> None:
    present = clean_inputs_by(SPECS, {"title": "A", "agent": "zabbix.example"}, is_staff=True)
    changed = clean_inputs_by(SPECS, {"title": "B"}, is_staff=False, present=present)
    assert changed == {"title": "B", "agent": "zabbix.example"}
