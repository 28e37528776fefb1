"""What a customer types arrives letter by letter at every place where a composition may use it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from infrastructure.contracts.runtime import Composition
from products.composition.variables import RESERVED
from products.manifest import ManifestError, clean_manifest
from tests.cases.test_tax_identity import MANIFEST
from tests.infrastructure.adapters.compose.planning import launched

# Read as something else by YAML 1.1, by YAML 1.2, by JSON, by shells, or by Compose itself.
TYPED = [
    *("007", "0777", "0o777", "0b101", "0xFF", "1e5", "1E+5", "6.02e23", "1_000.5", "1:30", "20:30:40.5", "1.", ".1"),
    *("+.inf", "-.INF", ".NaN", "NaN", "Infinity", "-0", "+0", "00", "1e400", "9" * 40, "3.0", "1.10", "0.0.0"),
    *("Null", "NULL", "~", "TRUE", "False", "y", "N", "Yes", "nO", "On", "oFF", "none", "undefined"),
    *("2001-12-14", "2001-12-14t21:59:43.10-05:00", "12:00", "=", "<<", "---", "...", "%YAML 1.2", "!!binary aGk="),
    *("key: value", "key:", ": x", "- x", "-", "? x", "#x", "x # y", "x #", "&a x", "*a", "| x", "> x", "@x", "`x`"),
    *(
        "[x",
        "]",
        "{x",
        "}",
        "{}",
        "[]",
        "{{.Names}}",
        "{{ x }}",
        "%s",
        "%(x)s",
        "<%= x %>",
        "a,b",
        "a=b",
        "=a",
        "export A=1",
    ),
    *("'", "''", '"', '""', "'x'", '"x"', "x'", 'x"', "\\", "\\\\", "x\\", "\\'", '\\"', "\\t", "\\x41", "\\u0041"),
    *(
        "$",
        "$$",
        "$A",
        "${A",
        "${A}",
        "${A:-b}",
        "$}",
        "${}",
        "$(id)",
        "`id`",
        "$1",
        "$$A",
        "\\$A",
        "\\${A}",
        "$\\{A}",
        "%A%",
    ),
    *(
        "!",
        "!!",
        "!x",
        "~root",
        "*",
        "?",
        ";id",
        "|id",
        "&& id",
        "> /x",
        "x\ny",
        "\nx",
        "x\n",
        "x\r\ny",
        "\r",
        "\t",
        " x",
        "x ",
    ),
    *("é", "e\u0301", "\u200f\u05d0", "\u2028", "\u2029", "\u00a0", "\ufeffx", "🗺️", "x" * 2000, "x\n" * 200),
]
NAMES = [f"INPUT_{number}" for number in range(len(TYPED))]
# An explicit entry of a service wins over the ambient one.
COMPOSE = {
    "services": {
        "mapped": {"image": "x", "environment": {f"M_{name}": f"${{{name}}}" for name in NAMES}},
        "listed": {"image": "x", "environment": [f"L_{name}=a ${{{name}}} b" for name in NAMES]},
        "started": {"image": "x", "command": ["run", *(f"${{{name}}}" for name in NAMES)]},
        "labelled": {"image": "x", "labels": {f"org.example.{name.lower()}": f"${name}" for name in NAMES}},
        "own": {"image": "x", "environment": dict.fromkeys(NAMES[:9], "the author's")},
    }
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What Docker Compose launches, with every input filled in at once."""
    composition = Composition(
        key="live-TRY",
        compose=json.dumps(COMPOSE),
        bundle=b"",
        digest="1",
        environment=dict(zip(NAMES, TYPED, strict=True)),
    )
    return launched(composition, tmp_path_factory.mktemp("typed"))


@pytest.mark.parametrize("number", range(len(TYPED)), ids=[ascii(value[:20]) for value in TYPED])
def test_value_arrives_letter_by_letter_at_every_place(services: Any, number: int) -> None:
    name, value = NAMES[number], TYPED[number]
    assert services["mapped"]["environment"][f"M_{name}"] == value
    assert services["mapped"]["environment"][name] == value
    assert services["listed"]["environment"][f"L_{name}"] == f"a {value} b"
    assert services["started"]["command"][number + 1] == value
    assert services["labelled"]["labels"][f"org.example.{name.lower()}"] == value


def test_entry_of_the_author_wins_over_the_ambient_value(services: Any) -> None:
    own = services["own"]["environment"]
    assert {own[name] for name in NAMES[:9]} == {"the author's"}
    assert own[NAMES[9]] == TYPED[9]


def with_key(section: str, key: str) -> str:
    item = {"key": key, "label": "Title"} | ({"type": "string"} if section == "inputs" else {})
    plans = [{**plan, "currency": "EUR"} for plan in MANIFEST["plans"]]
    return yaml.safe_dump({**MANIFEST, "plans": plans, section: [item]})


PREFIXED = (
    "ld_audit",
    "dyld_x",
    "compose_file",
    "docker_host",
    "docker_buildkit",
    "buildkit_syntax",
    "git_ssh_command",
)


@pytest.mark.parametrize("section", ["inputs", "secrets"])
@pytest.mark.parametrize("key", [*sorted(name.lower() for name in RESERVED), *PREFIXED, "pythonpath", "ssh_auth_sock"])
def test_name_that_programs_read_is_refused(section: str, key: str) -> None:
    with pytest.raises(ManifestError, match=rf"{section}\[0\]\.key: {key.upper()} is read by programs"):
        clean_manifest(with_key(section, key), services=["web"])


@pytest.mark.parametrize("key", ["path_prefix", "home_page", "user_name", "site_path", "title", "my_docker"])
def test_name_that_only_resembles_one_is_taken(key: str) -> None:
    manifest = clean_manifest(with_key("inputs", key), services=["web"])
    assert manifest["inputs"][0]["key"] == key
