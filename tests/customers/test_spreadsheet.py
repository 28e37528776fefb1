"""Customers out to a spreadsheet and back: a preview first, then only what changed is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook, load_workbook

from core import clock
from customers.models import Customer
from tests.factories import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/admin/customers/customer/import/"
CSV_FORMAT, XLSX_FORMAT = "0", "1"
HEADER = "number,kind,name,email,phone,vat_id,language,currency,street,postcode,city,country"


def upload(client: Client, lines: str | bytes, *, form: str = CSV_FORMAT) -> str:
    """The preview of the file."""
    content = lines if isinstance(lines, bytes) else lines.encode()
    name = "customers.csv" if form == CSV_FORMAT else "customers.xlsx"
    page = client.post(URL, {"import_file": SimpleUploadedFile(name, content), "format": form, "resource": "0"})
    assert page.status_code == 200
    return page.content.decode()


def confirm(client: Client, preview: str) -> str:
    """The preview is confirmed; the page after it."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', preview))
    assert "import_file_name" in fields, preview
    answer = client.post("/admin/customers/customer/process_import/", fields, follow=True)
    return answer.content.decode()


def line(customer: Customer, **changes: str) -> str:
    values: Mapping[str, str] = {
        "number": customer.number,
        "kind": customer.kind,
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "vat_id": customer.vat_id,
        "language": "en",
        "currency": "EUR",
        "street": "Veenderweg 13",
        "postcode": "6721 WD",
        "city": "Bennekom",
        "country": "NL",
        **changes,
    }
    return ",".join(values[name] for name in HEADER.split(","))


def test_what_was_exported_is_read_back_without_a_change(admin_client: Client) -> None:
    customers = [CustomerFactory(name="=HYPERLINK(1)", phone="+31 318 123456"), CustomerFactory(vat_id="BE0428759497")]
    asked = {"action": "export_workbook", "_selected_action": [row.pk for row in customers]}
    answer = admin_client.post("/admin/customers/customer/", asked)
    exported = b"".join(answer.streaming_content)
    sheet = load_workbook(BytesIO(exported)).active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    before = list(Customer.objects.order_by("pk").values())
    preview = upload(admin_client, exported, form=XLSX_FORMAT)
    confirm(admin_client, preview)
    assert list(Customer.objects.order_by("pk").values()) == before


def test_a_preview_writes_nothing_and_the_import_writes_what_changed(admin_client: Client) -> None:
    customer, other = CustomerFactory(vat_id_checked_at=clock.now()), CustomerFactory()
    Customer.objects.filter(pk=customer.pk).update(vat_id_checked_at=clock.now())
    changed = line(customer, phone="0318 1", city="Ede", vat_id="BE 0428.759.497")
    preview = upload(admin_client, "\n".join([HEADER, changed, line(other)]))
    customer.refresh_from_db()
    assert (customer.phone, customer.addresses.get().city) == ("", "Bennekom")
    confirm(admin_client, preview)
    customer.refresh_from_db()
    other_before = other.updated_at
    other.refresh_from_db()
    assert (customer.phone, customer.vat_id, customer.vat_id_checked_at) == ("0318 1", "BE0428759497", None)
    assert customer.addresses.get().city == "Ede"
    assert other.updated_at == other_before


def test_a_row_without_a_number_is_a_new_customer(admin_client: Client) -> None:
    new = ",company,Gemeente Ede,gis@ede.example,,,en,EUR,Bergstraat 4,6711 DD,Ede,NL"
    confirm(admin_client, upload(admin_client, f"{HEADER}\n{new}"))
    customer = Customer.objects.get()
    assert (customer.name, customer.number[0], customer.addresses.get().street) == ("Gemeente Ede", "C", "Bergstraat 4")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"number": "C99999X"}, "There is no customer C99999X."),
        ({"vat_id": "NL123"}, "is not a VAT id of NL"),
        ({"email": "nobody"}, "valid email address"),
        ({"currency": "XXA"}, "XXA"),
        ({"country": "ZZ"}, "ZZ"),
        ({"kind": "club"}, "club"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_row_stops_the_import_with_its_reason(
    admin_client: Client, changes: dict[str, str], problem: str
) -> None:
    customer, fine = CustomerFactory(), CustomerFactory()
    before = list(Customer.objects.order_by("pk").values())
    preview = upload(admin_client, "\n".join([HEADER, line(fine, phone="1"), line(customer, **changes)]))
    assert problem in preview
    assert "import_file_name" not in preview
    assert list(Customer.objects.order_by("pk").values()) == before


def test_a_likely_duplicate_is_not_created(admin_client: Client) -> None:
    customer = CustomerFactory(name="Gemeente Ede")
    new = ",company,Gemeente Ede,gis@ede.example,,,en,EUR,,,,"
    preview = upload(admin_client, f"{HEADER}\n{new}")
    assert f"Gemeente Ede ({customer.number})" in preview
    assert Customer.objects.count() == 1


def test_an_anonymised_customer_stays_so(admin_client: Client) -> None:
    customer = CustomerFactory(anonymised_at=clock.now())
    assert "has been anonymised" in upload(admin_client, f"{HEADER}\n{line(customer, phone='1')}")


def test_what_is_no_workbook_is_refused(admin_client: Client) -> None:
    book = Workbook()
    file = BytesIO()
    book.save(file)
    assert "import_file_name" not in upload(admin_client, b"PK\x03\x04 nonsense", form=XLSX_FORMAT)
    assert "import_file_name" not in upload(admin_client, b"\xff\xfe\x00nonsense")


def test_only_whoever_keeps_customers_imports() -> None:
    clerk = UserFactory(is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert client.get(URL).status_code == 403
    for address in (URL, "/admin/customers/customer/process_import/"):
        assert client.post(address).status_code == 403
