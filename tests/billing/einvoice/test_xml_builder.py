"""The writer under both syntaxes: paths, prefixes, values, and texts that XML cannot hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from billing.einvoice.factur_x import FILE_NAME, METADATA, attachment
from billing.einvoice.xml_builder import XmlBuilder, without_controls, written
from tests.billing.documents.test_electronic import MARCH_1

NAMESPACES: dict[str | None, str] = {None: "urn:root", "a": "urn:a"}


@pytest.fixture
def builder() -> XmlBuilder:
    return XmlBuilder("Root", NAMESPACES)


def test_path_makes_an_element_for_each_of_its_names(builder: XmlBuilder) -> None:
    last = builder.add(builder.root, "a:One/a:Two", "text", schemeID="0106")
    assert (last.tag, last.text, last.get("schemeID")) == ("{urn:a}Two", "text", "0106")
    assert builder.root.find("{urn:a}One/{urn:a}Two") is last


def test_second_element_of_a_name_is_a_sibling_and_not_the_first_again(builder: XmlBuilder) -> None:
    for number in (1, 2):
        builder.add(builder.root, "a:Line/a:ID", number)
    assert [node.text for node in builder.root.iterfind("{urn:a}Line/{urn:a}ID")] == ["1", "2"]


def test_empty_values_make_no_element(builder: XmlBuilder) -> None:
    builder.add_filled(builder.root, "a:One", "")
    builder.add_filled(builder.root, "a:Two", "x")
    assert [etree.QName(node).localname for node in builder.root] == ["Two"]


def test_element_without_a_prefix_is_of_the_root_namespace(builder: XmlBuilder) -> None:
    assert builder.add(builder.root, "Child").tag == "{urn:root}Child"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.0375"), "0.0375"),
        (Decimal("-0.50"), "-0.50"),
        (date(2026, 3, 1), "2026-03-01"),
        (7, "7"),
        ("a & b < c", "a & b < c"),
    ],
)
def test_values_are_written_as_xml_schema_has_them(value: object, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("bell\x07 null\x00 escape\x1b", "bell null escape"),
        ("no\ufffe such\uffff", "no such"),
        ("half\ud800 a pair", "half a pair"),
        ("Łąka 北京 😀 هيئة", "Łąka 北京 😀 هيئة"),
        ("", ""),
    ],
)
def test_what_xml_cannot_hold_is_left_out_and_all_else_is_kept(builder: XmlBuilder, text: str, kept: str) -> None:
    assert without_controls(text) == kept
    builder.add(builder.root, "a:Name", text)
    assert (etree.fromstring(builder.to_bytes()).findtext("{urn:a}Name") or "") == kept


def test_document_is_utf_8_and_says_so(builder: XmlBuilder) -> None:
    builder.add(builder.root, "a:Name", "Łąka")
    content = builder.to_bytes()
    assert content.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert "Łąka".encode() in content


def test_markup_in_a_name_stays_text(builder: XmlBuilder) -> None:
    builder.add(builder.root, "a:Name", "</a:Name><a:Evil/>")
    assert etree.fromstring(builder.to_bytes()).find("{urn:a}Evil") is None


def test_factur_x_is_announced_once_and_embedded_under_its_name() -> None:
    file = attachment(b"<x/>", MARCH_1)
    assert (file.name, file.relationship, file.content, file.created) == (FILE_NAME, "Alternative", b"<x/>", MARCH_1)
    wrapped = b'<r xmlns:rdf="urn:rdf">' + METADATA + b"</r>"
    tree = etree.fromstring(wrapped)
    fx = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
    assert [node.text for node in tree.iter(f"{fx}ConformanceLevel")] == ["EN 16931"]
    assert [node.text for node in tree.iter(f"{fx}DocumentFileName")] == [FILE_NAME]
