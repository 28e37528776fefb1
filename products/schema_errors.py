"""What a JSON Schema validator finds, as sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

TYPES = {
    "array": gettext_noop("a list"),
    "boolean": gettext_noop("true or false"),
    "integer": gettext_noop("a whole number"),
    "null": gettext_noop("empty"),
    "number": gettext_noop("a number"),
    "object": gettext_noop("a mapping of names"),
    "string": gettext_noop("text"),
}
LONGEST_VALUE = 60

Finding = tuple[str, str]
Error = Any  # a ValidationError: its stubs allow for unset values, which no error that is handed out has


def _match(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """JSON Schema's `$` is the very end; Python's also stands before a last line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match")


Validator = extend(Draft202012Validator, {"pattern": _match})  # type: ignore[no-untyped-call]


def messages_for(error: Error) -> Iterator[Finding]:
    """Each (place, sentence) that makes up the error; of alternatives, what the nearest one misses."""
    if error.validator in ("anyOf", "oneOf") and error.context:
        nearest = best_match([error])
        if nearest is not None and nearest is not error:
            yield from messages_for(nearest)
            return
    place = place_of(error.absolute_path)
    if error.validator in ("required", "additionalProperties", "unevaluatedProperties"):
        yield from ((f"{place}.{key}".lstrip("."), message) for key, message in _keys(error))
        return
    yield place, (_MESSAGES.get(str(error.validator)) or _plain)(error)


def place_of(steps: Sequence[Any]) -> str:
    """The path as it would be written: `plans[0].price`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _keys(error: Error) -> Iterator[Finding]:
    if error.validator == "required":
        # One error comes per missing name; the library tells which only in its English sentence.
        yield from ((key, _("this is missing.")) for key in error.validator_value if f"{key!r} is" in error.message)
        return
    allowed = error.schema.get("properties", {})
    for key in error.instance.keys() - allowed.keys():
        message = _("this key is unknown; allowed are %(allowed)s.")
        yield str(key), message % {"allowed": ", ".join(sorted(allowed))}


def _type(error: Error) -> str:
    kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    wanted = _(" or ").join(_(TYPES[kind]) for kind in kinds)
    message = _("use %(wanted)s, not %(value)s.") % {"wanted": wanted, "value": _shown(error.instance)}
    return f"{message} {error.schema.get('description', '')}".rstrip()


def _shown(value: Any) -> str:
    text = f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _enum(error: Error) -> str:
    choices = ", ".join(str(choice) for choice in error.validator_value)
    return _("use one of %(choices)s, not %(value)s.") % {"choices": choices, "value": _shown(error.instance)}


def _pattern(error: Error) -> str:
    if form := error.schema.get("description"):
        message = _("%(value)s does not have the right form. %(form)s")
        return message % {"value": _shown(error.instance), "form": form}
    message = _("%(value)s does not have the form %(form)s.")
    return message % {"value": _shown(error.instance), "form": error.validator_value}


def _too_short(error: Error) -> str:
    if error.validator_value == 1:
        return _("this may not be empty.")
    return _("use at least %(limit)s, not %(size)s.") % {"limit": error.validator_value, "size": len(error.instance)}


def _too_long(error: Error) -> str:
    return _("use at most %(limit)s, not %(size)s.") % {"limit": error.validator_value, "size": len(error.instance)}


def _too_low(error: Error) -> str:
    message = _("use at least %(limit)s, not %(value)s.")
    return message % {"limit": error.validator_value, "value": _shown(error.instance)}


def _too_high(error: Error) -> str:
    message = _("use at most %(limit)s, not %(value)s.")
    return message % {"limit": error.validator_value, "value": _shown(error.instance)}


def _repeated(error: Error) -> str:
    return _("the same value is given twice.")


def _plain(error: Error) -> str:
    return _("%(value)s is not allowed here.") % {"value": _shown(error.instance)}


_MESSAGES: dict[str, Callable[[Error], str]] = {
    "const": lambda error: _("use %(value)s.") % {"value": _shown(error.validator_value)},
    "enum": _enum,
    "exclusiveMaximum": _too_high,
    "exclusiveMinimum": _too_low,
    "maxItems": _too_long,
    "maxLength": _too_long,
    "maximum": _too_high,
    "minItems": _too_short,
    "minLength": _too_short,
    "minimum": _too_low,
    "pattern": _pattern,
    "type": _type,
    "uniqueItems": _repeated,
}
