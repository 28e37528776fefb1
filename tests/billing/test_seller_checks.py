"""Before anything is invoiced for real, the deployment check names what the seller still lacks."""

from __future__ import annotations

from typing import Any

import pytest

from billing.checks import seller, seller_is_named

NAMED = {"name": "Merholm B.V.", "street": "Kerkweg 1", "city": "Ede", "vat_id": "NL123456782B90", "country": "NL"}


def test_seller_with_all_its_names_gets_no_warning(settings: Any) -> None:
    settings.SELLER = {**settings.SELLER, **NAMED}
    assert seller_is_named(None) == []


@pytest.mark.parametrize("name", ["name", "street", "city", "vat_id"])
def test_each_missing_name_is_called_by_its_setting(settings: Any, name: str) -> None:
    settings.SELLER = {**settings.SELLER, **NAMED, name: ""}
    (warning,) = seller_is_named(None)
    assert warning.id == "billing.W001"
    assert warning.msg.endswith(f"set SELLER_{name.upper()}")


def test_all_missing_names_are_in_one_warning(settings: Any) -> None:
    settings.SELLER = {**settings.SELLER, **dict.fromkeys(NAMED, ""), "country": "NL"}
    (warning,) = seller_is_named(None)
    assert "SELLER_NAME, SELLER_STREET, SELLER_CITY, SELLER_VAT_ID" in warning.msg


def test_logo_has_to_be_a_picture_that_can_be_read(settings: Any, tmp_path: Any) -> None:
    picture = tmp_path / "logo.png"
    picture.write_bytes(b"picture")
    settings.SELLER_LOGO = str(picture)
    assert seller(None) == []
    for wrong in (tmp_path / "none.png", tmp_path / "logo.gif"):
        settings.SELLER_LOGO = str(wrong)
        assert [message.id for message in seller(None)] == ["billing.E004"]
