"""Writes XML element by element, with the prefixes that the standards use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element


class XmlBuilder:
    """A document under construction: `add` puts an element under its parent and returns it."""

    def __init__(self, root: str, namespaces: dict[str | None, str]) -> None:
        self._namespaces = namespaces
        self.root = etree.Element(self._name(root), nsmap=namespaces)

    def add(self, parent: Element, path: str, value: object = None, **attributes: str) -> Element:
        """The last element of `path` (`cac:Party/cbc:Name`), new under `parent`, with `value` as its text."""
        element = parent
        for name in path.split("/"):
            element = etree.SubElement(element, self._name(name))
        if value is not None:
            element.text = written(value)
        for name, content in attributes.items():
            element.set(name, content)
        return element

    def add_filled(self, parent: Element, path: str, value: str, **attributes: str) -> None:
        """As `add`, and nothing at all where there is no value: empty elements are not allowed."""
        if value:
            self.add(parent, path, value, **attributes)

    def to_bytes(self) -> bytes:
        """The document in UTF-8."""
        return bytes(etree.tostring(self.root, xml_declaration=True, encoding="UTF-8", pretty_print=True))

    def _name(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{self._namespaces[prefix or None]}}}{local}"


def written(value: object) -> str:
    """A value as XML Schema writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return without_controls(str(value))


def without_controls(text: str) -> str:
    """`text` without the characters that XML 1.0 cannot hold (production 2, Char)."""
    return "".join(character for character in text if _is_allowed(character))


def _is_allowed(character: str) -> bool:
    is_surrogate = "\ud800" <= character <= "\udfff"
    return (character >= " " or character in "\t\n\r") and not is_surrogate and character not in "\ufffe\uffff"
