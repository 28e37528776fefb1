"""Texts of the timeline in the reader's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from live.translations.stored_texts import in_readers_language


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("Order placed.", "Bestelling geplaatst."),
        ("Requested a server from Sandbox.", "Server aangevraagd bij Sandbox."),
        ("4 of 4 services are running.", "4 van 4 diensten draaien."),
        ("4 of 5 services are running.", "4 of 5 services are running."),
        ("Removal requested. We moved to another city.", "Verwijdering aangevraagd. We moved to another city."),
        ("4 checks registered.", "4 controles aangemeld."),
        ("Server sbx-6 is running at 192.0.2.7.", "Server sbx-6 draait op 192.0.2.7."),
        ("Typed by a person of ours.", "Typed by a person of ours."),
        ("", ""),
    ],
)
def test_ours_are_translated_with_their_values_and_others_left_alone(stored: str, read: str) -> None:
    with translation.override("nl"):
        assert in_readers_language(stored) == read
    with translation.override("en-gb"):
        assert in_readers_language(stored) == stored


def test_a_text_with_hardly_any_letters_of_its_own_matches_nothing() -> None:
    with translation.override("nl"):
        assert in_readers_language("Gateway: quota exceeded") == "Gateway: quota exceeded"


def test_a_percent_sign_in_a_value_is_only_a_sign() -> None:
    with translation.override("nl"):
        assert (
            in_readers_language("Requested a server from 100%(x)s cloud.") == "Server aangevraagd bij 100%(x)s cloud."
        )
