"""Tables for spreadsheets: UTF-8 with its mark, streamed, and nothing in them that would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from core.admin.csv_export import csv_lines, csv_response, harmless


@pytest.mark.parametrize("text", ["=1+1", "+31 6", "-5", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_marked_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "a=b", "Jan-Kees", Decimal("-5.00"), -5, None, date(2026, 1, 1), "'quoted"])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert harmless(value) == value


def test_commas_quotes_and_lines_in_a_cell_come_back_as_they_were() -> None:
    cells = ['a, "b"', "two\nlines", "Łąka; 北京"]
    text = "".join(csv_lines(("x", "y", "z"), [cells]))
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))[1] == cells


def test_table_is_read_row_by_row_and_never_as_a_whole() -> None:
    read: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for number in range(3):
            read.append(number)
            yield (number,)

    lines = csv_lines(("n",), rows())
    assert [next(lines) for _ in range(3)] == ["\ufeff", "n\r\n", "0\r\n"]
    assert read == [0]


def test_response_is_a_download_in_utf_8() -> None:
    answer = csv_response("invoices-2026", ("n",), [("Łąka",)])
    assert answer["Content-Disposition"] == 'attachment; filename="invoices-2026.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(answer).decode("utf-8-sig") == "n\r\nŁąka\r\n"  # type: ignore[arg-type]
