"""The reader of bank statements: what banks write, and what is refused. Bytes in, values out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.payments.camt import UnreadableStatement, read_statements
from tests.billing.payments.statement_files import batch, camt, entry, file_of, statement, transaction


def test_entry_is_read_with_its_payer_account_reference_and_day() -> None:
    (read,) = read_statements(camt(entry("59.29", "2026-00001")))
    (found,) = read.entries
    assert (read.identifier, read.iban) == ("S1", "NL02ABNA0123456789")
    assert (found.amount, found.currency, found.booked_on) == (Decimal("59.29"), "EUR", date(2026, 1, 20))
    assert (found.payer, found.payer_iban) == ("Waterschap Vallei", "NL91ABNA0417164300")
    assert found.remittance == "2026-00001"


def test_batch_that_names_its_amounts_is_an_entry_for_each() -> None:
    content = camt(batch("30.00", transaction("10.00", "RF1", "Ann"), transaction("20.00", "RF2", "Bo")))
    entries = read_statements(content)[0].entries
    assert [(row.amount, row.payer, row.remittance) for row in entries] == [
        (Decimal("10.00"), "Ann", "RF1"),
        (Decimal("20.00"), "Bo", "RF2"),
    ]
    assert {row.booked_on for row in entries} == {date(2026, 1, 21)}


def test_batch_without_amounts_is_one_entry_over_the_sum() -> None:
    bare = "<TxDtls><Refs/></TxDtls>"
    (row,) = read_statements(camt(batch("30.00", bare, bare)))[0].entries
    assert (row.amount, row.remittance) == (Decimal("30.00"), "Batch of the day")


def test_amount_of_a_transaction_is_also_found_where_older_versions_have_it() -> None:
    older = '<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">{}</Amt></TxAmt></AmtDtls></TxDtls>'
    entries = read_statements(camt(batch("7.00", older.format("3.00"), older.format("4.00"))))[0].entries
    assert [row.amount for row in entries] == [Decimal("3.00"), Decimal("4.00")]


@pytest.mark.parametrize("version", ["02", "04", "08", "13"])
def test_every_version_of_the_format_is_read(version: str) -> None:
    content = file_of(statement(entry("1.00", "x")), version=version)
    assert [row.amount for row in read_statements(content)[0].entries] == [Decimal("1.00")]


def test_several_statements_of_one_file_keep_apart() -> None:
    content = file_of(statement(entry("1.00", "a")), statement(entry("2.00", "b"), identifier="S2"))
    assert [(row.identifier, len(row.entries)) for row in read_statements(content)] == [("S1", 1), ("S2", 1)]


def test_account_without_an_iban_is_read_by_its_other_number() -> None:
    content = file_of(statement(account="<Othr><Id>1234567890</Id></Othr>"))
    assert read_statements(content)[0].iban == "1234567890"


@pytest.mark.parametrize(
    "row",
    [
        entry("1.00", "x", direction="DBIT"),
        entry("1.00", "x", status="PDNG"),
        entry("1.00", "x", status="INFO"),
        entry("1.00", "x", extra="<RvslInd>true</RvslInd>"),
    ],
    ids=["debit", "pending", "information", "reversal"],
)
def test_what_is_no_booked_receipt_is_left_out(row: str) -> None:
    assert read_statements(camt(row))[0].entries == ()


def test_credit_that_reverses_nothing_is_kept() -> None:
    assert len(read_statements(camt(entry("1.00", "x", extra="<RvslInd>false</RvslInd>")))[0].entries) == 1


@pytest.mark.parametrize(
    "amount", ["1.001", "0", "0.00", "-1.00", "1e40", "1000000000000", "NaN", "Infinity", "", "1,50"]
)
def test_amount_that_is_none_is_refused_with_a_sentence(amount: str) -> None:
    with pytest.raises(UnreadableStatement, match="is not an amount"):
        read_statements(camt(entry(amount, "x")))


@pytest.mark.parametrize("amount", ["0.01", "999999999999.99", "1.5", " 12.00 "])
def test_amount_in_cents_is_read(amount: str) -> None:
    assert read_statements(camt(entry(amount, "x")))[0].entries[0].amount == Decimal(amount.strip())


@pytest.mark.parametrize("currency", ["", "EURO", "eur", "€UR"])
def test_currency_that_is_none_is_refused(currency: str) -> None:
    with pytest.raises(UnreadableStatement, match="is not a currency"):
        read_statements(camt(entry("1.00", "x", currency=currency)))


@pytest.mark.parametrize("identifier", ["", "x" * 36])
def test_statement_without_a_usable_identification_is_refused(identifier: str) -> None:
    with pytest.raises(UnreadableStatement, match="no identification"):
        read_statements(camt(identifier=identifier))


def test_entry_without_an_amount_is_refused() -> None:
    row = "<Ntry><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-20</Dt></BookgDt></Ntry>"
    with pytest.raises(UnreadableStatement, match="no amount"):
        read_statements(camt(row))


def test_long_texts_are_cut_to_what_is_stored() -> None:
    content = camt(entry("1.00", "r" * 900)).replace(b"Waterschap Vallei", b"W" * 200)
    (row,) = read_statements(content)[0].entries
    assert (len(row.remittance), len(row.payer)) == (500, 140)


def test_entities_of_a_hostile_file_are_never_expanded() -> None:
    bomb = b'<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><Document'
    with pytest.raises(UnreadableStatement):
        read_statements(camt(entry("1.00", "&b;")).replace(b"<Document", bomb, 1))
