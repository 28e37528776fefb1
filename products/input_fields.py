"""What a customer chose, checked against what the manifest allows. Pure values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Refusal

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# JSON can say these; PostgreSQL keeps neither, and no page could be written with the second kind.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class InvalidInputs(Refusal):
    """Some inputs are wrong; `errors` says what, by input key."""

    code = "invalid_inputs"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {message}" for key, message in errors.items()), field=next(iter(errors)))
        self.errors = dict(errors)


def clean_inputs(specs: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with defaults filled in, checked against every rule; raises InvalidInputs with every error."""
    values, errors = {}, {}
    for key in given.keys() - {spec["key"] for spec in specs}:
        errors[key] = _("This product has no such input.")
    for spec in specs:
        value = given.get(spec["key"])
        if value in (None, ""):
            value = spec.get("default", "")
        try:
            values[spec["key"]] = _clean(spec, value)
        except ValueError as error:
            errors[spec["key"]] = str(error)
    if errors:
        raise InvalidInputs(errors)
    return values


def _clean(spec: Mapping[str, Any], value: Any) -> Any:
    if value in (None, ""):
        if spec.get("required"):
            raise ValueError(_("This field is required."))
        return ""
    if not isinstance(value, (str, int, float)):
        raise ValueError(_("Use a single value."))
    if UNSTORABLE.search(str(value)):
        raise ValueError(_("This contains a character that cannot be stored."))
    return _CLEANERS[spec["type"]](spec, value)


def _clean_text(spec: Mapping[str, Any], value: Any) -> str:
    text = str(value)
    if "\n" in text and spec["type"] == "string":
        raise ValueError(_("Use one line."))
    if len(text) < spec.get("min_length", 0):
        raise ValueError(_("Use at least %(n)s characters.") % {"n": spec["min_length"]})
    if len(text) > spec.get("max_length", 2000):
        raise ValueError(_("Use at most %(n)s characters.") % {"n": spec.get("max_length", 2000)})
    if (pattern := spec.get("pattern")) and not re.fullmatch(pattern, text):
        raise ValueError(_("This does not match the required format."))
    return text


def _clean_integer(spec: Mapping[str, Any], value: Any) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise ValueError(_("Use a whole number.")) from None
    if number < spec.get("min", number) or number > spec.get("max", number):
        raise ValueError(
            _("Use a number from %(min)s to %(max)s.") % {"min": spec.get("min", "…"), "max": spec.get("max", "…")}
        )
    return number


def _clean_boolean(spec: Mapping[str, Any], value: Any) -> bool:
    values = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
    if (chosen := values.get(str(value).lower())) is None:
        raise ValueError(_("Use true or false."))
    return chosen


def _clean_choice(spec: Mapping[str, Any], value: Any) -> str:
    allowed = [str(choice["value"]) for choice in spec["choices"]]
    if str(value) not in allowed:
        raise ValueError(_("Choose one of: %(choices)s.") % {"choices": ", ".join(allowed)})
    return str(value)


def _clean_email(spec: Mapping[str, Any], value: Any) -> str:
    if not EMAIL.fullmatch(str(value)):
        raise ValueError(_("Use an e-mail address."))
    return str(value)


_CLEANERS = {
    "string": _clean_text,
    "text": _clean_text,
    "integer": _clean_integer,
    "boolean": _clean_boolean,
    "choice": _clean_choice,
    "email": _clean_email,
}
