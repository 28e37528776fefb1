"""Decision records can be cited by number: each has a number of its own, and says it in its title."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "docs/decisions").glob("*.md"))
CITED = re.compile(r"decisions/(\d{4})")


def test_no_two_records_share_a_number() -> None:
    numbers = Counter(record.name[:4] for record in RECORDS)
    assert [number for number, count in numbers.items() if count > 1] == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_is_titled_with_its_number(record: Path) -> None:
    title = record.read_text().partition("\n")[0]
    assert re.fullmatch(rf"# {record.name[:4]} · \S.*[^.]", title)


def test_every_number_that_code_or_docs_cite_exists() -> None:
    numbers = {record.name[:4] for record in RECORDS}
    rooms = ("core", "customers", "products", "orders", "infrastructure", "monitoring", "billing", "live", "docs")
    files = [path for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".md"}]
    files += [ROOT / "CHANGELOG.md", ROOT / "README.md", ROOT / "pyproject.toml"]
    cited = {(path.name, number) for path in files for number in CITED.findall(path.read_text())}
    assert [citation for citation in sorted(cited) if citation[1] not in numbers] == []
    assert len(cited) > 3
