"""What a manifest may say, and how it is told what is wrong."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from products.composition.text import load_yaml
from products.manifest import ManifestError, clean_manifest
from tests.products.conftest import MANIFEST

GOOD: dict[str, Any] = yaml.safe_load(MANIFEST)
CHOICE = {"key": "size", "label": "Size", "type": "choice", "choices": [{"value": "s", "label": "Small"}]}


def changed(*steps: Any, to: Any = ...) -> str:
    """The good manifest with one value changed, or taken out."""
    values = inner = deepcopy(GOOD)
    for step in steps[:-1]:
        inner = inner[step]
    if to is ...:
        del inner[steps[-1]]
    elif isinstance(inner, list) and steps[-1] == len(inner):
        inner.append(to)
    else:
        inner[steps[-1]] = to
    return yaml.safe_dump(values)


def problems(text: str) -> list[str]:
    """What is said of the manifest."""
    with pytest.raises(ManifestError) as caught:
        clean_manifest(text, services=["gateway", "database"])
    return [problem.removeprefix("product.yaml: ") for problem in caught.value.problems]


CASES = {
    "name: this is missing.": changed("name"),
    "name: this may not be empty.": changed("name", to=""),
    "name: use text, not 7.": changed("name", to=7),
    "plans: this may not be empty.": changed("plans", to=[]),
    "plans: use a list, not “small”. The sizes and prices it is sold in.": changed("plans", to="small"),
    "plans[0].price: this is missing.": changed("plans", 0, "price"),
    "plans[0].price: use text, not 49.0. A decimal number in quotes, with two decimals, or "
    "with three in currencies that have them.": changed("plans", 0, "price", to=49.0),
    "plans[0].price: “49,00” does not have the right form. A decimal number in quotes, with two decimals, or "
    "with three in currencies that have them.": changed("plans", 0, "price", to="49,00"),
    "plans[0].period: use one of month, quarter, year, not “week”.": changed("plans", 0, "period", to="week"),
    "plans[0].size.cpus: use at least 1, not 0.": changed("plans", 0, "size", "cpus", to=0),
    "plans[1].slug: “small” is already used by plans[0].": changed("plans", 1, "slug", to="small"),
    "endpoints[0].port: use at most 65535, not 70000.": changed("endpoints", 0, "port", to=70000),
    "endpoints[0].check.path: this is missing.": changed("endpoints", 0, "check", "path"),
    "endpoints[0].service: compose.yaml has no service “web”; it has database, gateway.": changed(
        "endpoints", 0, "service", to="web"
    ),
    "endpoints[1].name: “wms” is already used by endpoints[0].": changed("endpoints", 1, to=GOOD["endpoints"][0]),
    "inputs[1].key: “title” is already used by inputs[0].": changed("inputs", 1, to=GOOD["inputs"][0]),
    "secrets[0].key: an input is called “title” already.": changed("secrets", 0, "key", to="title"),
    "inputs[0].key: PATH is read by programs, Docker or Compose themselves; use another name.": changed(
        "inputs", 0, "key", to="path"
    ),
    "inputs[0].key: LD_PRELOAD is read by programs, Docker or Compose themselves; use another name.": changed(
        "inputs", 0, "key", to="ld_preload"
    ),
    "secrets[0].key: COMPOSE_PROFILES is read by programs, Docker or Compose themselves; use another name.": changed(
        "secrets", 0, "key", to="compose_profiles"
    ),
    "plans[0].currency: “EUD” is not a currency of ISO 4217.": changed("plans", 0, "currency", to="EUD"),
    "plans[0].currency: “XXX” is not a currency of ISO 4217.": changed("plans", 0, "currency", to="XXX"),
    "plans[0].currency: “XAU” is not a currency of ISO 4217.": changed("plans", 0, "currency", to="XAU"),
    "plans[0].currency: “DEM” is not a currency of ISO 4217.": changed("plans", 0, "currency", to="DEM"),
    "plans[0].price: JPY has 0 decimals; 10.50 has more.": changed(
        "plans", 0, to={**GOOD["plans"][0], "currency": "JPY", "price": "10.50"}
    ),
    "plans[0].setup_fee: JPY has 0 decimals; 0.01 has more.": changed(
        "plans", 0, to={**GOOD["plans"][0], "currency": "JPY", "price": "10.00", "setup_fee": "0.01"}
    ),
    "secrets[0].length: use at least 12, not 4.": changed("secrets", 0, "length", to=4),
    "secrets[0].length: with the alphabet “digits” use at least 19 characters.": changed(
        "secrets", 0, to={"key": "pin", "label": "PIN", "alphabet": "digits", "length": 12}
    ),
    "secrets[0].alphabet: use one of readable, alphanumeric, symbols, lowercase, hex, digits, not “klingon”.": changed(
        "secrets", 0, "alphabet", to="klingon"
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_problem_is_a_sentence_that_starts_with_its_place(sentence: str) -> None:
    assert problems(CASES[sentence]) == [sentence]


def test_good_manifest_has_its_defaults_filled_in() -> None:
    manifest = clean_manifest(MANIFEST, services=["gateway"])
    assert manifest["plans"][0]["setup_fee"] == "0.00"
    assert manifest["plans"][0]["auto_approve"] is False
    assert manifest["endpoints"][0]["check"] == {
        "path": "/wms?request=GetCapabilities",
        "status": 200,
        "contains": "Capabilities",
        "max_seconds": 10,
    }
    assert json.loads(json.dumps(manifest)) == manifest


@pytest.mark.parametrize("promise", ["100", "100.00", "99.5", "0"])
def test_promise_is_a_percentage(promise: str) -> None:
    manifest = clean_manifest(changed("plans", 0, "sla", to={"promise": promise}), services=["gateway"])
    assert manifest["plans"][0]["sla"]["promise"] == promise


@pytest.mark.parametrize("promise", ["100.01", "101", "99.999", "-1", "often", 99.5])
def test_promise_that_is_no_percentage_is_refused(promise: object) -> None:
    (message,) = problems(changed("plans", 0, "sla", to={"promise": promise}))
    assert message.startswith("plans[0].sla.promise: ")


def test_all_problems_are_told_at_once() -> None:
    broken = yaml.safe_load(changed("plans", 0, "currency", to="euro"))
    broken["colour"] = "red"
    del broken["summary"]
    shown = problems(yaml.safe_dump(broken))
    assert len(shown) == 3
    assert shown[0].startswith("colour: this key is unknown; allowed are description,")
    assert shown[1] == "summary: this is missing."
    assert shown[2].startswith("plans[0].currency: “euro” does not have the right form.")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"key": "a", "label": "A", "type": "choice"}, "inputs[1].choices: this is missing."),
        (
            {"key": "a", "label": "A", "type": "string", "staff": True, "required": True},
            "inputs[1].default: customers are not asked for this, so it needs a default.",
        ),
        ({"key": "a", "label": "A", "type": "colour"}, "inputs[1].type: use one of"),
        ({**CHOICE, "default": "xl"}, "inputs[1].default: xl breaks the input's own rules: Choose one of: s."),
        ({"key": "a", "label": "A", "type": "integer", "max": 5, "default": 9}, "inputs[1].default: 9 breaks"),
        ({"key": "a", "label": "A", "type": "string", "pattern": "(["}, "inputs[1].pattern: this is not a valid"),
        ({"key": "live_key", "label": "A", "type": "string"}, "inputs[1].key: “live_key” does not have the right form"),
        ({"key": "a", "label": "A\n", "type": "string"}, "inputs[1].label:"),
    ],
)
def test_input_that_contradicts_itself_is_refused(spec: dict[str, Any], message: str) -> None:
    shown = problems(changed("inputs", 1, to=spec))
    assert any(problem.startswith(message) for problem in shown), shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "This is not valid YAML, line 1"),
        ("- a list", "this has to be a mapping"),
        ("name: a\nname: b", "line 2: “name” is given twice"),
        ("released: 2026-01-01", "put dates in quotes"),
        ("released: 2026-99-99", "a value in it cannot be read"),
        ("size: .inf", "put dates in quotes"),
        ('name: "a\\0b"', "a control character"),
        ("loop: &a [*a]", "an alias stands for itself"),
        ("[" * 3000, "not valid YAML"),
    ],
)
def test_text_that_is_no_manifest_is_refused_in_words(text: str, message: str) -> None:
    (problem,) = problems(text)
    assert message in problem


def test_sample_catalogue_is_valid() -> None:
    folders = sorted(Path(settings.BASE_DIR, "catalogue", "products").glob("*/product.yaml"))
    assert folders
    for path in folders:
        services = load_yaml((path.parent / "compose.yaml").read_text())["services"]
        assert clean_manifest(path.read_text(), services=services)["plans"], path


@pytest.mark.parametrize("minutes", [0, 240])
def test_plan_may_say_how_long_it_waits_with_an_incident(minutes: int) -> None:
    manifest = clean_manifest(changed("plans", 0, "grace_minutes", to=minutes), services=["gateway"])
    assert manifest["plans"][0]["grace_minutes"] == minutes


@pytest.mark.parametrize("minutes", [-1, 241, "3", 2.5])
def test_grace_that_is_no_number_of_minutes_is_refused(minutes: object) -> None:
    (message,) = problems(changed("plans", 0, "grace_minutes", to=minutes))
    assert message.startswith("plans[0].grace_minutes: ")


@pytest.mark.parametrize(("currency", "price"), [("JPY", "1050.00"), ("KWD", "10.50"), ("USD", "0.99")])
def test_price_in_the_decimals_of_its_currency_is_taken(currency: str, price: str) -> None:
    text = changed("plans", 0, to={**GOOD["plans"][0], "currency": currency, "price": price})
    assert clean_manifest(text, services=None)["plans"][0]["price"] == price


TRANSLATIONS = {
    "translations.nl.inputs.colour: there is no such item under inputs.": {"inputs": {"colour": {"label": "Kleur"}}},
    "translations.nl.endpoints.wfs: there is no such item under endpoints.": {"endpoints": {"wfs": "Data"}},
    "translations.nl.plans.huge: there is no such item under plans.": {"plans": {"huge": "Enorm"}},
    "translations.nl.secrets.key: there is no such item under secrets.": {"secrets": {"key": "Sleutel"}},
    "translations.nl.inputs.title: the input has no choice “x”.": {"inputs": {"title": {"choices": {"x": "Iks"}}}},
    "translations.nl.name: this may not be empty.": {"name": ""},
    "translations.nl.summary: use text, not 7. One line, shown in lists.": {"summary": 7},
}


@pytest.mark.parametrize(("problem", "texts"), TRANSLATIONS.items())
def test_translation_of_what_is_not_there_is_refused(problem: str, texts: dict[str, Any]) -> None:
    assert problems(changed("translations", to={"nl": texts})) == [problem]


def test_translations_are_kept_as_they_are() -> None:
    texts = {"nl": {"name": "Kaarten", "plans": {"small": "Klein"}}}
    kept = clean_manifest(changed("translations", to=texts), services=["gateway", "database"])
    assert kept["translations"] == texts
