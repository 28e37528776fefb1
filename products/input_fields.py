"""A product's inputs as Django form fields: built here once, for the admin, the portal, the API and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Refusal
from core.text.plain_text import FORBIDDEN

LONGEST = 2000
PLAIN_TEXT = RegexValidator(
    FORBIDDEN, gettext_lazy("Remove the control characters from this text."), inverse_match=True
)
ONE_LINE = RegexValidator(r"[\r\n]", gettext_lazy("Use one line."), inverse_match=True)


class InvalidInputs(Refusal):
    """Some inputs are wrong; `errors` says what, by input key."""

    code = "invalid_inputs"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {message}" for key, message in errors.items()), field=next(iter(errors)))
        self.errors = dict(errors)


class YesOrNoField(forms.BooleanField):
    """A check box, or a word of a program; anything but a yes or a no is refused."""

    VALUES: Mapping[str, bool] = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}

    def to_python(self, value: Any) -> bool:
        """True or false."""
        if value in (None, ""):
            return False
        if (chosen := self.VALUES.get(str(value).lower())) is None:
            raise ValidationError(_("Use true or false."))
        return chosen


def form_field(spec: Mapping[str, Any]) -> forms.Field:
    """The form field of one input of a manifest, with all its rules."""
    has_default = spec.get("default") not in (None, "")
    common: dict[str, Any] = {
        "label": spec.get("label", spec["key"]),
        "help_text": spec.get("help", ""),
        "required": bool(spec.get("required")) and not has_default,
        "initial": spec.get("default"),
    }
    match spec["type"]:
        case "boolean":
            return YesOrNoField(**{**common, "required": False})
        case "integer":
            limits: dict[str, Any] = {"min_value": spec.get("min"), "max_value": spec.get("max")}
            return forms.IntegerField(**common, **limits, error_messages=_number_messages(spec))
        case "choice":
            options = [(str(option["value"]), option.get("label", option["value"])) for option in spec["choices"]]
            blank = [] if has_default else [("", _("Choose…"))]
            allowed = ", ".join(value for value, _label in options).replace("%", "%%")
            messages = {"invalid_choice": _("Choose one of: %(choices)s.") % {"choices": allowed}}
            return forms.ChoiceField(**common, choices=[*blank, *options], error_messages=messages)
        case "email":
            return forms.EmailField(**common, error_messages={"invalid": _("Use an e-mail address.")})
    return _text_field(spec, common)


def clean_inputs(specs: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with defaults filled in, checked by every rule; raises InvalidInputs with everything that is wrong."""
    values, errors = {}, {}
    for key in given.keys() - {spec["key"] for spec in specs}:
        errors[key] = _("This product has no such input.")
    for spec in specs:
        value = given.get(spec["key"])
        if value in (None, ""):
            value = spec.get("default", "")
        try:
            values[spec["key"]] = _clean(spec, value)
        except ValidationError as error:
            errors[spec["key"]] = " ".join(error.messages)
    if errors:
        raise InvalidInputs(errors)
    return values


def clean_inputs_by(
    specs: Sequence[Mapping[str, Any]],
    given: Mapping[str, Any],
    *,
    is_staff: bool,
    present: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """As `clean_inputs`; customers cannot give what only staff set, which stays as it is at `present`."""
    if is_staff:
        return clean_inputs(specs, given)
    reserved = {spec["key"] for spec in specs if spec.get("staff")}
    if refused := sorted(reserved & given.keys()):
        raise InvalidInputs(dict.fromkeys(refused, _("Only our staff can set this.")))
    kept = {key: value for key, value in (present or {}).items() if key in reserved}
    return clean_inputs(specs, {**given, **kept})


def customer_inputs(specs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The inputs that a customer is asked for."""
    return [spec for spec in specs if not spec.get("staff")]


def _clean(spec: Mapping[str, Any], value: Any) -> Any:
    if value in (None, ""):
        if spec.get("required"):
            raise ValidationError(_("This field is required."))
        return ""
    if not isinstance(value, (str, int, float)):
        raise ValidationError(_("Use a single value."))
    PLAIN_TEXT(str(value))
    return form_field(spec).clean(str(value))


def _text_field(spec: Mapping[str, Any], common: Mapping[str, Any]) -> forms.CharField:
    """One line or several; what is typed is kept letter by letter, spaces at its ends included."""
    validators = [PLAIN_TEXT] if spec["type"] == "text" else [PLAIN_TEXT, ONE_LINE]
    if pattern := spec.get("pattern"):
        message = _("This does not match the required format.")
        validators.append(RegexValidator(rf"\A(?:{pattern})\Z", message))
    shortest, longest = spec.get("min_length"), spec.get("max_length", LONGEST)
    return forms.CharField(
        **common,
        min_length=shortest,
        max_length=longest,
        strip=False,
        validators=validators,
        widget=forms.Textarea(attrs={"rows": 4}) if spec["type"] == "text" else forms.TextInput(),
        error_messages={
            "min_length": _("Use at least %(n)s characters.") % {"n": shortest},
            "max_length": _("Use at most %(n)s characters.") % {"n": longest},
        },
    )


def _number_messages(spec: Mapping[str, Any]) -> dict[str, str]:
    limits = {"min": spec.get("min", "…"), "max": spec.get("max", "…")}
    outside = _("Use a number from %(min)s to %(max)s.") % limits
    return {"invalid": _("Use a whole number."), "min_value": outside, "max_value": outside}
