"""Entrances of texts that others write: cleaned where a machine sent them, refused where a person can mend them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import responses

from billing.payments.camt import read_statements
from core.errors import PermanentError
from customers.whmcs.client import WhmcsClient
from customers.whmcs.client_record import ClientDetails
from infrastructure.adapters.docker.container import container_of
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.problems import read_problems
from products.adapters.folder.catalogue import FolderCatalogue
from products.contracts import DamagedSource
from products.source_check import check_source
from tests.billing.payments.statement_files import camt, entry
from tests.fakes.zabbix import API, URL
from tests.products.conftest import write_product

WHMCS = "https://whmcs.example/includes/api.php"
REFUSED = "A text contains a control character or one that changes the direction of text."


@pytest.mark.parametrize("file", ["product.yaml", "compose.yaml"])
@pytest.mark.parametrize("written", ["# \u202e", 'x-a: "\\0"', 'x-a: "\\e[31m"', 'x-a: "\\u202E"', 'x-a: "\\uD800"'])
def test_catalogue_text_is_refused_with_file_and_line(file: str, written: str, tmp_path: Path) -> None:
    path = write_product(tmp_path) / file
    line = path.read_text().count("\n") + 1
    path.write_text(f"{path.read_text()}{written}\n")
    (source,) = FolderCatalogue(tmp_path).read()
    assert f"{file}:{line}: {REFUSED}" in [str(problem) for problem in check_source(source).errors]


@pytest.mark.parametrize("name", [b"a\x1b[31m", b"a\nb", b"a\xff", "a\u202eb".encode()])
def test_file_name_of_the_catalogue_is_refused_and_shown_clean(name: bytes, tmp_path: Path) -> None:
    folder = write_product(tmp_path)
    Path(bytes(folder).decode(), name.decode(errors="surrogateescape")).write_bytes(b"")
    (source,) = FolderCatalogue(tmp_path).read()
    assert isinstance(source, DamagedSource)
    assert "holds control characters, or is not text in UTF-8" in source.problem
    source.problem.encode()


def test_answer_of_whmcs_is_cleaned_html_entities_included() -> None:
    written = {
        "client_id": 1,
        "companyname": "Water\0schap &#8238;&#27;Vallei",
        "city": "Ede\ud800",
        "tax_id": "NL\x1b[0m",
    }
    with responses.RequestsMock() as mock:
        mock.post(WHMCS, body=json.dumps({"result": "success", "client": written}))
        answer = WhmcsClient(url="https://whmcs.example", identifier="i", secret="s").call("GetClientsDetails")
    details = ClientDetails.read(answer["client"])
    assert details is not None
    assert (details.company, details.city, details.tax_id) == ("Waterschap Vallei", "Ede\ufffd", "NL")


def test_refusal_of_whmcs_is_cleaned() -> None:
    with responses.RequestsMock() as mock:
        mock.post(WHMCS, json={"result": "error", "message": "Bad\0 \x1b[31mclient\u202e"})
        with pytest.raises(PermanentError, match=r"refused GetX: Bad client$"):
            WhmcsClient(url="https://whmcs.example", identifier="i", secret="s").call("GetX")


def test_bank_statement_is_cleaned() -> None:
    content = camt(entry("59.29", "2026-\u202e00001&#x9f;&#x202D;")).replace(b"Waterschap", b"Water\x7fschap")
    (row,) = read_statements(content)[0].entries
    assert (row.remittance, row.payer) == ("2026-00001", "Waterschap Vallei")


def test_answer_of_zabbix_is_cleaned() -> None:
    event = {"eventid": "7", "clock": "0", "name": "Down\0 \x1b[31mnow\u202e", "severity": "4", "tags": []}
    answers: dict[str, Any] = {
        "apiinfo.version": "7.0.22",
        "problem.get": [{**event, "acknowledged": "0", "suppressed": "0"}],
    }

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        method = json.loads(request.body)["method"]
        return 200, {}, json.dumps({"jsonrpc": "2.0", "result": answers.get(method, []), "id": 1})

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, API, answer)
        (problem,) = read_problems(ZabbixClient(URL, token="t"))
    assert problem.name == "Down now"


def test_listing_of_an_engine_is_cleaned() -> None:
    listed = {
        "Status": "Up 4 minutes",
        "State": "running",
        "Image": "maps\x1b[31m:\u202e1",
        "Labels": {"com.docker.compose.service": "web\0"},
        "Id": "1",
    }
    service = container_of(listed).as_service
    assert (service.name, service.image) == ("web", "maps:1")
