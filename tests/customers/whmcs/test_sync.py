"""Customers follow the clients of WHMCS: each field has its owner, nothing is deleted, a second run writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import TransientError
from customers.erasure.services import anonymise_customer
from customers.models import Address, Customer, ExternalId, WhmcsChange, WhmcsClientRow, WhmcsConflict, WhmcsSync
from customers.whmcs import sync as module
from customers.whmcs.client import WhmcsClient
from customers.whmcs.new_customers import NewCustomer, find_duplicates
from customers.whmcs.services import (
    NotDecidable,
    close_client,
    customer_of_client,
    keep_ours,
    merge_clients,
    request_refresh,
    request_sync,
    take_theirs,
)
from customers.whmcs.simulator.records import example_client
from customers.whmcs.simulator.server import Simulator
from customers.whmcs.sync import sync_client, sync_page
from tests.driving import Drive
from tests.factories import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db


def customer(client_id: int) -> Customer:
    return ExternalId.objects.get(system="whmcs", value=str(client_id)).customer


def open_conflicts() -> list[tuple[int, str, str]]:
    rows = WhmcsConflict.objects.filter(resolved_at=None).order_by("client_id", "field")
    return [(row.client_id, row.kind, row.field) for row in rows]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("whmcs", *arguments, stdout=out)
    return out.getvalue()


def test_every_client_becomes_a_customer_with_its_address(whmcs: WhmcsClient) -> None:
    assert sync_page(whmcs).created == 7
    row = customer(1)
    assert (row.name, row.kind, row.email) == ("Gemeente Ede 1", "company", "client1@whmcs.example")
    assert (row.addresses.get().street, row.addresses.get().country) == ("Veenderweg 1", "NL")
    assert customer(4).kind == "person"
    assert customer(4).name == "Anna Jansen 4"


def test_second_run_writes_nothing_and_asks_for_no_details(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    simulator.calls.clear()
    with CaptureQueriesContext(connection) as queries:
        result = sync_page(whmcs)
    assert [call["action"] for call in simulator.calls] == ["GetClients"]
    assert (result.read, result.created, result.changed, result.conflicts) == (7, 0, 0, 0)
    assert [query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))] == []


def test_number_of_queries_does_not_grow_with_the_page(whmcs: WhmcsClient, simulator: Simulator) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            sync_page(whmcs)
        return len(captured)

    sync_page(whmcs)
    simulator.records.clients[8] = example_client(8)
    few = queries()
    for number in range(9, 31):
        simulator.records.clients[number] = example_client(number)
    many = queries()
    assert many <= few


def test_change_in_whmcs_is_taken_with_its_history(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    simulator.records.clients[1] |= {"companyname": "Gemeente Ede", "city": "Ede", "tax_id": "NL861234567B84"}
    assert sync_page(whmcs).changed == 1
    assert customer(1).name == "Gemeente Ede"
    assert customer(1).addresses.get().city == "Ede"
    change = WhmcsChange.objects.get()
    assert change.changes["city"] == ["Bennekom", "Ede"]
    assert WhmcsClientRow.objects.get(client_id=1).values["city"] == "Ede"


def test_change_of_details_alone_is_found_by_a_deep_sync(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    simulator.records.clients[1]["city"] = "Ede"
    assert sync_page(whmcs).changed == 0
    assert sync_page(whmcs, is_deep=True).changed == 1


def test_fields_of_ours_are_never_touched(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    ours = {"notes": "Call first", "language": "en"}
    Customer.objects.filter(pk=customer(1).pk).update(**ours)
    Address.objects.create(customer=customer(1), kind="billing", street="Postbus 1", city="Ede", country="NL")
    simulator.records.clients[1] |= {"email": "new@whmcs.example", "language": "dutch", "notes": "Theirs"}
    sync_page(whmcs)
    assert (customer(1).email, customer(1).notes, customer(1).language) == ("new@whmcs.example", "Call first", "en")
    assert customer(1).addresses.get(kind="billing").street == "Postbus 1"


def test_field_changed_here_is_listed_and_not_overwritten(whmcs: WhmcsClient) -> None:
    sync_page(whmcs)
    Customer.objects.filter(pk=customer(1).pk).update(phone="+31 6 12345678")
    for _run in range(2):
        sync_page(whmcs)
    assert customer(1).phone == "+31 6 12345678"
    assert open_conflicts() == [(1, "changed_here", "phone")]
    take_theirs(conflict=WhmcsConflict.objects.get(), actor=UserFactory())
    assert customer(1).phone == "+31.318000000"
    sync_page(whmcs)
    assert open_conflicts() == []


def test_field_kept_here_stays_until_whmcs_changes_it(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    Customer.objects.filter(pk=customer(1).pk).update(phone="1")
    sync_page(whmcs)
    conflict = WhmcsConflict.objects.get()
    keep_ours(conflict=conflict, actor=UserFactory())
    with pytest.raises(NotDecidable):
        keep_ours(conflict=conflict, actor=UserFactory())
    sync_page(whmcs, is_deep=True)
    assert (open_conflicts(), customer(1).phone) == ([], "1")
    simulator.records.clients[1]["phonenumber"] = "+31.2"
    sync_page(whmcs, is_deep=True)
    assert (open_conflicts(), customer(1).phone) == ([(1, "changed_here", "phone")], "1")


def test_conflict_that_no_longer_holds_is_closed_by_itself(whmcs: WhmcsClient) -> None:
    sync_page(whmcs)
    Customer.objects.filter(pk=customer(1).pk).update(phone="1")
    sync_page(whmcs)
    Customer.objects.filter(pk=customer(1).pk).update(phone="+31.318000000")
    sync_page(whmcs)
    assert open_conflicts() == []


def test_client_that_looks_like_a_customer_is_left_to_staff(whmcs: WhmcsClient) -> None:
    existing: Customer = CustomerFactory(email="CLIENT2@whmcs.example")
    assert sync_page(whmcs).created == 6
    assert open_conflicts() == [(2, "duplicate", "")]
    take_theirs(conflict=WhmcsConflict.objects.get(), actor=UserFactory())
    sync_page(whmcs)
    existing.refresh_from_db()
    assert customer(2) == existing
    assert existing.name == "Provincie Gelderland 2"


def test_client_that_another_sync_creates_meanwhile_is_no_duplicate_of_itself(
    whmcs: WhmcsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_after_the_other(new: Sequence[NewCustomer]) -> dict[int, Customer]:
        monkeypatch.undo()
        sync_client(whmcs, 2)
        return find_duplicates(new)

    monkeypatch.setattr(module, "find_duplicates", find_after_the_other)
    with pytest.raises(TransientError, match="Another sync wrote the same client"):
        sync_client(whmcs, 2)
    sync_client(whmcs, 2)
    assert customer(2).name == "Provincie Gelderland 2"
    assert open_conflicts() == []


def test_client_that_is_another_gets_a_customer_of_its_own(whmcs: WhmcsClient) -> None:
    existing: Customer = CustomerFactory(email="client2@whmcs.example")
    sync_page(whmcs)
    keep_ours(conflict=WhmcsConflict.objects.get(), actor=UserFactory())
    sync_page(whmcs)
    assert customer(2) != existing
    assert open_conflicts() == []


def test_value_that_cannot_be_right_is_listed_and_the_rest_is_taken(whmcs: WhmcsClient, simulator: Simulator) -> None:
    simulator.records.clients[3] |= {"tax_id": "NL123", "countrycode": "XX", "country": "XX"}
    sync_page(whmcs)
    sync_page(whmcs, is_deep=True)
    assert customer(3).vat_id == ""
    assert open_conflicts() == [(3, "invalid", "country"), (3, "invalid", "vat_id")]
    simulator.records.clients[3] |= {"tax_id": "", "countrycode": "NL", "country": "NL"}
    sync_page(whmcs, is_deep=True)
    assert open_conflicts() == []


def test_client_that_vanished_is_listed_and_nothing_is_deleted(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    del simulator.records.clients[3]
    del simulator.records.clients[7]
    for _run in range(2):
        sync_page(whmcs)
    assert open_conflicts() == [(3, "gone", ""), (7, "gone", "")]
    assert customer(3).state == "active"


def test_client_deleted_between_list_and_details_is_left_out(whmcs: WhmcsClient, simulator: Simulator) -> None:
    simulator.oddities.gone_after_list = frozenset({4})
    assert sync_page(whmcs).created == 6


def test_closed_client_closes_its_customer(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    simulator.records.clients[1]["status"] = "Closed"
    sync_page(whmcs)
    for _repeat in range(2):
        close_client(client_id=2)
    assert (customer(1).state, customer(2).state) == ("closed", "closed")


def test_merge_closes_the_customer_that_was_merged_away(whmcs: WhmcsClient, simulator: Simulator) -> None:
    sync_page(whmcs)
    for _repeat in range(2):
        merge_clients(from_id=2, to_id=1)
    del simulator.records.clients[2]
    sync_page(whmcs)
    assert (customer(2).state, customer(1).state) == ("closed", "active")
    assert open_conflicts() == [(2, "merged", "")]


def test_dry_run_prints_what_would_change_and_changes_nothing(whmcs: WhmcsClient, simulator: Simulator) -> None:
    output = run("sync", "--dry-run")
    assert "create Gemeente Ede 1 (client 1)" in output
    assert "Dry run, nothing was changed: 7 clients read, 7 customers created" in output
    assert Customer.objects.count() == WhmcsClientRow.objects.count() == 0
    run("sync")
    simulator.records.clients[1] |= {"companyname": "Ede"}
    before = Customer.objects.get(pk=customer(1).pk).name
    assert "name “Gemeente Ede 1” → “Ede”" in run("sync", "--dry-run")
    assert customer(1).name == before


def test_command_says_why_whmcs_cannot_be_read(whmcs: WhmcsClient, simulator: Simulator) -> None:
    assert "8.13.0-simulated answers" in run("test")
    simulator.oddities.maintenance_page = True
    with pytest.raises(CommandError, match="maintenance"):
        run("sync")


def test_worker_goes_on_behind_the_last_page_that_was_written(
    whmcs: WhmcsClient, simulator: Simulator, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 3)
    monkeypatch.setattr("customers.whmcs.tasks.VISIT_SECONDS", 0.0)
    assert request_sync() == request_sync()
    row = request_sync()
    WhmcsSync.objects.filter(pk=row.pk).update(next_start=3, last_id=3)
    monkeypatch.setattr("customers.whmcs.tasks.VISIT_SECONDS", 60.0)
    drive.settle()
    row.refresh_from_db()
    assert (row.is_settled, row.read, row.created) == (True, 4, 4)


def test_single_client_is_refreshed_by_a_worker(whmcs: WhmcsClient, simulator: Simulator, drive: Drive) -> None:
    sync_page(whmcs)
    simulator.records.clients[1]["city"] = "Ede"
    assert request_refresh(client_id=1) == request_refresh(client_id=1)
    drive.settle()
    assert customer(1).addresses.get().city == "Ede"
    del simulator.records.clients[1]
    assert sync_client(whmcs, 1).conflicts == 1
    assert open_conflicts() == [(1, "gone", "")]


def test_outage_writes_nothing_and_is_tried_again(whmcs: WhmcsClient, simulator: Simulator) -> None:
    simulator.oddities.lost_replies = 1
    with pytest.raises(TransientError):
        sync_page(whmcs)
    assert sync_page(whmcs).created == 7


def test_module_brings_the_client_along(whmcs: WhmcsClient, simulator: Simulator) -> None:
    made = customer_of_client({**example_client(9), "userid": "9", "id": "9"})
    assert customer_of_client({"userid": 9}) == made == customer(9)
    assert simulator.calls == []


def test_no_password_of_whmcs_is_stored(whmcs: WhmcsClient) -> None:
    sync_page(whmcs)
    assert "nobody-may-store" not in str(list(WhmcsClientRow.objects.values())) + str(list(Customer.objects.values()))


def test_an_anonymised_customer_is_neither_changed_nor_created_again(simulator: Simulator, whmcs: WhmcsClient) -> None:
    sync_page(whmcs)
    anonymised = customer(1)
    anonymise_customer(customer=anonymised, actor=UserFactory(is_staff=True), why="Request")
    simulator.records.clients[1]["firstname"] = "Somebody"
    count = Customer.objects.count()
    result = sync_page(whmcs, is_deep=True)
    anonymised.refresh_from_db()
    assert (result.created, result.changed, Customer.objects.count()) == (0, 0, count)
    assert anonymised.name.startswith("Anonymised")
