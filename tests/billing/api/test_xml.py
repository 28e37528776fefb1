"""The invoice as XML through the API: the bytes as issued, a problem while there are none, nothing for others."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from billing.models import Invoice, InvoicePdf

# The callers of tests/api.
from tests.api.conftest import (  # noqa: F401
    _fresh_throttles,
    calling,
    customer,
    draft,
    order,
    owner,
    stranger,
)
from tests.billing.api.test_api import INVOICES, invoice  # noqa: F401

pytestmark = pytest.mark.django_db
SYNTAXES = pytest.mark.parametrize(("path", "syntax"), [("xml/", "ubl"), ("xml/cii/", "cii")])


@SYNTAXES
def test_xml_is_served_as_it_was_issued(
    invoice: Invoice,  # noqa: F811
    owner: APIClient,  # noqa: F811
    path: str,
    syntax: str,
) -> None:
    content = f"<{syntax}/>".encode()
    stored = default_storage.save(f"invoices/api.{syntax}.xml", ContentFile(content))
    InvoicePdf.objects.update(path="invoices/api.pdf", other_files={syntax: {"path": stored, "sha256": ""}})
    answer = owner.get(f"{INVOICES}{invoice.number}/{path}", HTTP_ACCEPT="application/xml")
    assert (answer["Content-Type"], b"".join(answer)) == ("application/xml", content)
    assert f'filename="{invoice.number}.{syntax}.xml"' in answer["Content-Disposition"]


@SYNTAXES
def test_xml_that_is_not_made_yet_is_a_problem_that_says_to_try_again(
    invoice: Invoice,  # noqa: F811
    owner: APIClient,  # noqa: F811
    path: str,
    syntax: str,
) -> None:
    answer = owner.get(f"{INVOICES}{invoice.number}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert "Try again in a minute" in answer.json()["detail"]


@SYNTAXES
def test_stranger_finds_no_xml(
    invoice: Invoice,  # noqa: F811
    stranger: APIClient,  # noqa: F811
    path: str,
    syntax: str,
) -> None:
    assert stranger.get(f"{INVOICES}{invoice.number}/{path}").status_code == 404
    assert APIClient().get(f"{INVOICES}{invoice.number}/{path}").status_code == 401
