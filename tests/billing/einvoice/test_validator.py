"""What the validator answers before any rule is read: bad XML, other documents, and the schema's findings."""

from __future__ import annotations

import io
import json

import pytest

from billing.einvoice import validator

INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
BOMB = '<!DOCTYPE i [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><i>&b;</i>'
OUTSIDE = '<!DOCTYPE i [<!ENTITY file SYSTEM "file:///etc/hostname">]><i>&file;</i>'


@pytest.mark.parametrize("text", ["", "no XML", "<a>", "<a></b>", "\ud7ff<", '<?xml version="1.0"?>'])
def test_text_that_is_no_xml_is_found(text: str) -> None:
    (finding,) = validator.findings(text)
    assert finding.startswith("XML: ")


@pytest.mark.parametrize("text", ["<Invoice/>", f'<Order xmlns="{INVOICE}"/>', BOMB, OUTSIDE])
def test_other_documents_are_no_invoice_and_their_entities_are_not_read(text: str) -> None:
    (finding,) = validator.findings(text)
    assert finding.endswith(" is no invoice")
    assert "aaaa" not in finding


def test_schema_names_what_is_missing_with_its_line() -> None:
    findings = validator.findings(f'<Invoice xmlns="{INVOICE}"/>')
    assert findings
    assert all(finding.startswith("XSD: ") and "(line 1)" in finding for finding in findings)
    assert "Missing child element" in findings[0]


def test_each_line_gets_its_answer_until_input_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = "\n".join(json.dumps(text) for text in ("<a/>", "<b", "<c/>"))
    monkeypatch.setattr("sys.stdin", io.StringIO(questions + "\n"))
    validator.main()
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == ["XML: a is no invoice"]
    assert second[0].startswith("XML: ")
    assert third == ["XML: c is no invoice"]
