"""References: random, and of letters that nobody confuses."""

from __future__ import annotations

import re

import pytest

from core.references import ALPHABET, new_reference


def test_a_reference_has_its_prefix_and_letters_that_can_be_read_out() -> None:
    references = {new_reference("GL") for _ in range(200)}
    assert len(references) > 190  # a repeat is rare, and caught by the column that holds it
    assert all(re.fullmatch(rf"GL[{ALPHABET}]{{4}}", reference) for reference in references)


@pytest.mark.parametrize("letter", "01ILOS5B8AEU")
def test_no_letter_of_a_reference_looks_like_another_or_spells_words(letter: str) -> None:
    assert letter not in ALPHABET
