"""The form of a VAT id."""

from __future__ import annotations

import pytest

from customers.vat_id import clean_vat_id


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("be 0428.759.497", "BE0428759497"),
        ("NL4495445B01", "NL4495445B01"),
        ("EL 094259216", "EL094259216"),
        ("CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("GB 980 7806 84", "GB980780684"),
        ("US 12-3456789", "US123456789"),
    ],
)
def test_right_id_is_kept_without_its_points(typed: str, kept: str) -> None:
    assert clean_vat_id(typed) == kept


@pytest.mark.parametrize(
    "typed", ["BE0428759498", "NL123456789B01", "DE1", "CHE107787578IVA", "0428759497", "B", "NL'--"]
)
def test_wrong_id_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match=r"(is not a VAT id of|Start with the two letters).*\."):
        clean_vat_id(typed)
