"""Secrets of an order are made by the policy of its product."""

from __future__ import annotations

import string

import pytest

from core.passwords import ALPHABETS, KINDS, READABLE, SIGNS, generate_secret, shortest_length
from orders.services import create_order
from products.manifest import manifest_schema
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory


def test_schema_and_code_know_the_same_alphabets() -> None:
    alphabet = manifest_schema()["$defs"]["secret"]["properties"]["alphabet"]
    assert alphabet["enum"] == list(ALPHABETS)
    assert alphabet["default"] == "readable"


@pytest.mark.parametrize("name", ALPHABETS)
@pytest.mark.parametrize("length", [12, 24, 128])
def test_secret_has_its_length_and_only_characters_of_its_alphabet(name: str, length: int) -> None:
    values = {generate_secret({"key": "a", "alphabet": name, "length": length}) for _time in range(20)}
    assert len(values) == 20
    assert {len(value) for value in values} == {length}
    assert set("".join(values)) <= set(ALPHABETS[name])


def test_readable_secret_needs_no_quoting_and_has_no_letters_that_look_alike() -> None:
    values = [generate_secret({"length": 24}) for _ in range(50)]
    assert {len(value) for value in values} == {24}
    assert len(set(values)) == 50
    assert READABLE.isalnum()
    assert not set("0O1lI") & set(READABLE)


@pytest.mark.parametrize(("name", "kinds"), [("alphanumeric", KINDS[:3]), ("symbols", KINDS)])
def test_mixed_secret_has_a_character_of_each_kind(name: str, kinds: tuple[str, ...]) -> None:
    for _time in range(200):
        value = generate_secret({"alphabet": name, "length": 12})
        assert all(set(kind) & set(value) for kind in kinds)
        assert value[0] not in SIGNS


def test_secret_is_readable_and_of_24_characters_unless_the_product_says_more() -> None:
    value = generate_secret({"key": "a", "label": "A"})
    assert len(value) == 24
    assert set(value) <= set(READABLE)


def test_no_character_needs_quoting() -> None:
    assert set("".join(ALPHABETS.values())) <= set(string.ascii_letters + string.digits + SIGNS)


def test_length_that_could_be_guessed_is_known() -> None:
    assert {name: shortest_length(name) for name in ALPHABETS} == {
        "readable": shortest_length("readable"),
        "alphanumeric": 11,
        "symbols": 10,
        "lowercase": 12,
        "hex": 15,
        "digits": 19,
    }
    assert shortest_length("readable") <= 12


@pytest.mark.django_db
def test_order_gets_secrets_by_the_policy_of_its_release() -> None:
    secrets = [
        {"key": "pin", "label": "PIN", "length": 20, "alphabet": "digits"},
        {"key": "cookie_key", "label": "Key", "length": 64, "alphabet": "hex"},
        {"key": "password", "label": "Password"},
    ]
    manifest = {**ReleaseFactory.build().manifest, "secrets": secrets, "inputs": []}
    release = ReleaseFactory.create(manifest=manifest)
    plan = PlanFactory.create(product=release.product)
    order = create_order(customer=CustomerFactory.create(), plan=plan, name="Maps", inputs={}, actor=None)
    values = order.secrets.values
    assert (len(values["pin"]), values["pin"].isdigit()) == (20, True)
    assert len(bytes.fromhex(values["cookie_key"])) == 32
    assert len(values["password"]) == 24
