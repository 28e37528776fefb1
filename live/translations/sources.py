"""The texts that customers read, found in templates and code. Staff pages and the API stay in English."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
TEMPLATE_FOLDERS = (
    *("account", "allauth", "billing", "customers", "mail", "mfa", "monitoring", "orders", "portal", "usersessions"),
)
# Modules of the rooms whose texts reach customers: on pages, in mail and on invoices.
CODE = (
    "live/accounts",
    "live/portal",
    "live/request_rules.py",
    "core/text",
    "core/outside/check_messages.py",
    "core/money.py",
    "customers/choices.py",
    "customers/services.py",
    "customers/invitations",
    "customers/tokens",
    "customers/webhooks",
    "products/input_fields.py",
    "orders/choices.py",
    "orders/allowed_actions.py",
    "orders/changes",
    "orders/derived",
    "orders/lifecycle.py",
    "orders/part_reports.py",
    "orders/services.py",
    "orders/removals",
    "infrastructure/provisioning",
    "monitoring/choices.py",
    "monitoring/charts",
    "monitoring/incidents",
    "monitoring/monitors",
    "monitoring/reports",
    "monitoring/status_pages",
    "monitoring/templatetags",
    "billing/documents",
    "billing/invoice_document.py",
    "billing/invoicing",
    "billing/subscriptions",
    "billing/dunning",
)
# Of these only the choices and what methods return are shown to customers; the names of fields are for staff.
MODELS = (
    "billing/models/invoice.py",
    "customers/models/customer.py",
    "orders/models/change.py",
    "products/models/plan.py",
)


def customer_texts() -> Catalog:
    """Every text that customers may read, as a catalogue without translations."""
    catalogue = Catalog(charset="utf-8")
    for path in sorted({*_templates(), *_modules()}):
        source = path.read_text()
        if path.suffix != ".py":
            lines = templatize(source, origin=str(path)).splitlines()
            source = "\n".join(line.strip() for line in lines)  # its indentation is no Python's
        where = str(path.relative_to(settings.BASE_DIR))
        for _line, message, _comments, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS):
            catalogue.add(message, locations=[(where, 0)], context=context)
    for name in MODELS:
        for text in _choices_and_methods(settings.BASE_DIR / name):
            catalogue.add(text, locations=[(name, 0)])
    return catalogue


def _choices_and_methods(path: Path) -> Iterator[str]:
    """The labels of every TextChoices in the file, and the texts in its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.ClassDef) and _is_choices(node)):
            calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and ast.unparse(call.func) == "_"]
            yield from (str(ast.literal_eval(call.args[0])) for call in calls)


def _is_choices(node: ast.ClassDef) -> bool:
    return "TextChoices" in {ast.unparse(base).split(".")[-1] for base in node.bases}


def _templates() -> Iterator[Path]:
    root = settings.BASE_DIR / "templates"
    yield from root.glob("*.html")
    for folder in TEMPLATE_FOLDERS:
        yield from (path for path in (root / folder).rglob("*.*") if path.suffix in (".html", ".txt"))


def _modules() -> Iterator[Path]:
    for name in CODE:
        path = settings.BASE_DIR / name
        if path.suffix == ".py":
            yield path
        else:
            yield from path.rglob("*.py")
