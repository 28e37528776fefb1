"""A product's manifest (`product.yaml`), checked against its schema and its composition. Pure: text in, values out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Refusal
from core.iso_codes import currencies, decimals_of
from core.passwords import LENGTH, READABLE_NAME, shortest_length
from products.composition.text import load_yaml
from products.composition.variables import is_reserved
from products.input_fields import InvalidInputs, clean_inputs
from products.schema_errors import Validator, messages_for

SCHEMA_PATH = Path(__file__).parent / "schema" / "product.schema.json"

CHECK = {"status": 200, "contains": "", "max_seconds": 10}
PLAN = {"setup_fee": "0.00", "auto_approve": False}
NAME_OF_ITEM = {"inputs": "key", "secrets": "key", "endpoints": "name", "plans": "slug"}
"""By section: the key whose value names an item of it."""


class ManifestError(Refusal):
    """The manifest cannot be used; `problems` says what is wrong, each with its path."""

    code = "bad_manifest"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), field="manifest")
        self.problems = tuple(problems)


@lru_cache(maxsize=1)
def manifest_schema() -> dict[str, Any]:
    """The JSON Schema that ships with this room."""
    return dict(json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))


def clean_manifest(text: str, *, services: Collection[str] | None) -> dict[str, Any]:
    """The manifest with its defaults filled in, fit for JSON; raises ManifestError with all that is wrong.

    `services` are the names in the composition that endpoints may point at; None where it cannot be read.
    """
    try:
        manifest = load_yaml(text)
    except ValueError as error:
        raise ManifestError([f"product.yaml: {error}"]) from error
    if not isinstance(manifest, dict):
        raise ManifestError([_("product.yaml: this has to be a mapping of names.")])
    problems = list(_against_schema(manifest)) or list(_against_itself(manifest, services))
    if problems:
        raise ManifestError([f"product.yaml: {problem}" for problem in problems])
    return _filled_in(manifest)


def usable_parts(manifest: Any) -> dict[str, list[Any]]:
    """The inputs, secrets and endpoints that are well formed, whatever else is wrong with the manifest."""
    schema = manifest_schema()
    parts: dict[str, list[Any]] = {"inputs": [], "secrets": [], "endpoints": []}
    for name, part in parts.items():
        items = manifest.get(name) if isinstance(manifest, Mapping) else None
        form = Validator({**schema["properties"][name]["items"], "$defs": schema["$defs"]})
        part += [item for item in items if form.is_valid(item)] if isinstance(items, list) else []
    return parts


def _against_schema(manifest: Mapping[str, Any]) -> Iterator[str]:
    try:
        json.dumps(manifest, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # YAML knows dates, infinities and lists that hold themselves
        yield _("a value is neither text nor a number, a list or a mapping; put dates in quotes.")
        return
    errors = list(Validator(manifest_schema()).iter_errors(manifest))
    messages: dict[str, str] = {}
    for error in sorted(errors, key=lambda error: [str(step) for step in error.absolute_path]):
        for place, message in messages_for(error):
            messages.setdefault(place, message)  # an empty text has also no right form: one sentence is enough
    yield from (f"{place}: {message}" if place else message for place, message in messages.items())


def _against_itself(manifest: Mapping[str, Any], services: Collection[str] | None) -> Iterator[str]:
    yield from _repeats(manifest, "inputs", "key")
    yield from _repeats(manifest, "secrets", "key")
    yield from _repeats(manifest, "endpoints", "name")
    yield from _repeats(manifest, "plans", "slug")
    yield from _shared_names(manifest)
    for number, plan in enumerate(manifest.get("plans", ())):
        yield from (f"plans[{number}].{problem}" for problem in _money_problems(plan))
    for number, spec in enumerate(manifest.get("inputs", ())):
        yield from (f"inputs[{number}].{problem}" for problem in _input_problems(spec))
    for number, spec in enumerate(manifest.get("secrets", ())):
        shortest = shortest_length(spec.get("alphabet", READABLE_NAME))
        if spec.get("length", LENGTH) < shortest:
            message = _("with the alphabet “%(alphabet)s” use at least %(length)d characters.")
            yield f"secrets[{number}].length: " + message % {"alphabet": spec["alphabet"], "length": shortest}
    yield from _translation_problems(manifest)
    for number, endpoint in enumerate(manifest.get("endpoints", ())):
        if services is not None and endpoint["service"] not in services:
            message = _("compose.yaml has no service “%(service)s”; it has %(services)s.")
            available = ", ".join(sorted(services))
            yield f"endpoints[{number}].service: " + message % {"service": endpoint["service"], "services": available}


def _repeats(manifest: Mapping[str, Any], section: str, key: str) -> Iterator[str]:
    first_uses: dict[str, int] = {}
    for number, item in enumerate(manifest.get(section, ())):
        first = first_uses.setdefault(str(item[key]).lower(), number)
        if first != number:
            message = _("“%(value)s” is already used by %(first)s.")
            yield f"{section}[{number}].{key}: " + message % {"value": item[key], "first": f"{section}[{first}]"}


def _shared_names(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Inputs and secrets become variables of one environment, beside the platform's own."""
    inputs = {str(spec["key"]).lower() for spec in manifest.get("inputs", ())}
    for section in ("inputs", "secrets"):
        for number, item in enumerate(manifest.get(section, ())):
            name = str(item["key"]).lower()
            if name.startswith("live_"):
                yield f"{section}[{number}].key: " + _("names that start with “live_” are reserved for the platform.")
            elif is_reserved(name.upper()):
                message = _("%(name)s is read by programs, Docker or Compose themselves; use another name.")
                yield f"{section}[{number}].key: " + message % {"name": name.upper()}
            elif section == "secrets" and name in inputs:
                yield f"{section}[{number}].key: " + _("an input is called “%(name)s” already.") % {"name": name}


def _translation_problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Translations are of what there is."""
    for language, texts in manifest.get("translations", {}).items():
        for section, name in NAME_OF_ITEM.items():
            items = {item[name]: item for item in manifest.get(section, ())}
            for key, text in texts.get(section, {}).items():
                place = f"translations.{language}.{section}.{key}: "
                if key not in items:
                    yield place + _("there is no such item under %(section)s.") % {"section": section}
                    continue
                values = {choice["value"] for choice in items[key].get("choices", ())}
                labels = text.get("choices", {}) if isinstance(text, Mapping) else {}
                if unknown := sorted(labels.keys() - values):
                    yield place + _("the input has no choice “%(value)s”.") % {"value": unknown[0]}


def _money_problems(plan: Mapping[str, Any]) -> Iterator[str]:
    """The currency is one that is in use, and the amounts have no more decimals than it has."""
    currency = plan["currency"]
    if currency not in currencies():
        yield "currency: " + _("“%(currency)s” is not a currency of ISO 4217.") % {"currency": currency}
        return
    decimals = decimals_of(currency)
    for name in ("price", "setup_fee"):
        amount = Decimal(plan.get(name, "0"))
        if amount != round(amount, decimals):
            message = _("%(currency)s has %(decimals)s decimals; %(amount)s has more.")
            yield f"{name}: " + message % {"currency": currency, "decimals": decimals, "amount": plan[name]}


def _input_problems(spec: Mapping[str, Any]) -> Iterator[str]:
    try:
        re.compile(spec.get("pattern", ""))
    except re.error as error:
        yield "pattern: " + _("this is not a valid regular expression: %(problem)s.") % {"problem": error}
        return
    if spec.get("default") in (None, ""):
        if spec.get("staff") and spec.get("required"):
            yield "default: " + _("customers are not asked for this, so it needs a default.")
        return
    try:
        clean_inputs([spec], {})
    except InvalidInputs as error:
        message = _("%(default)s breaks the input's own rules: %(problem)s")
        yield "default: " + message % {"default": spec["default"], "problem": error.errors[spec["key"]]}


def _filled_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    filled = {**manifest}
    for name, empty in (("description", ""), ("icon", ""), ("inputs", []), ("secrets", [])):
        filled.setdefault(name, empty)
    filled["endpoints"] = [_endpoint(endpoint) for endpoint in manifest["endpoints"]]
    filled["plans"] = [{**PLAN, **plan} for plan in manifest["plans"]]
    return filled


def _endpoint(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    return {**endpoint, "check": {**CHECK, **endpoint["check"]}}
