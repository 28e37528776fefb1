"""VAT ids: one form for each number, as tax law and VIES write it. Whether one is in use is another question. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

# Greece is GR to ISO and EL to tax law; the United Kingdom is UK on letterheads and GB in its numbers.
PREFIXES = {"GR": "EL", "UK": "GB"}
# python-stdnum files Greek numbers under GR, and those of Northern Ireland under GB.
RULES_OF = {"EL": "gr", "XI": "gb"}
NUMBER = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,18}")
# What people copy along with the number: "VAT DE136695976", "USt-IdNr. DE…", "BTW NL…", "VAT no.: …".
LABEL = re.compile(
    r"^(?:VAT|TVA|IVA|BTW|MWST|MOMS|UST|UID|TAX|IDNR|NUM[EÉ]RO|NUMBER|NUMMER)(?:[\s.:#/\-]*(?:ID|NO|NR|REG|NUMBER))*[\s.:#/\-]*",
    re.IGNORECASE,
)
# A word that can begin a number: labels of other languages come before it ("numéro de TVA FR…", "P. IVA IT…").
BEGINNING = re.compile(r"(?<!\w)(?!ID\b)[A-Z]{2}(?=[\s.:\-]*[0-9A-Z]*[0-9])")
SEPARATORS = re.compile(r"[\s.,:;/()\[\]\"'“”„‘’_\-\u2010-\u2015]")
# Numbers that can begin with zeros, which spreadsheets drop; all have a check digit.
LENGTHS = {"BE": 10, "CY": 9, "CZ": 8, "EL": 9, "FI": 8, "FR": 11, "HR": 11, "IT": 11}
MOST_ZEROS = 3


def clean_vat_id(text: str) -> str:
    """The number in its one form, such as EL094259216; raises ValueError with a sentence when it cannot be right.

    Empty stays empty. Labels before the number and separators are dropped; leading zeros and the prefix of tax law
    are restored. A prefix without known rules is refused: nobody could say what it means for VAT.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    if not typed:
        return ""
    problem = ""
    for candidate in dict.fromkeys(_candidates(typed)):
        try:
            return _canonical(SEPARATORS.sub("", candidate).upper())
        except ValueError as error:
            problem = problem or str(error)
    raise ValueError(problem)


def _candidates(typed: str) -> Iterator[str]:
    """The text as it is, without a label, and from each word on that can begin a number."""
    yield typed
    yield (unlabelled := LABEL.sub("", typed))
    yield LABEL.sub("", unlabelled)
    for found in BEGINNING.finditer(typed):
        yield typed[found.start() :]


def _canonical(number: str) -> str:
    """The number as it is stored; raises ValueError with a sentence."""
    if not NUMBER.fullmatch(number):
        raise ValueError(_("Start with the two letters of the country, such as NL861234567B84."))
    prefix, digits = PREFIXES.get(number[:2], number[:2]), number[2:]
    country = RULES_OF.get(prefix, prefix.lower())
    # Numbers of the EU's one stop shop (EU…) are no VAT ids of a buyer.
    rules: Any = get_cc_module(country, "vat") if prefix != "EU" else None
    if rules is None:
        message = _("“%(prefix)s” is not the prefix of a VAT id. Start with the country, or leave it empty.")
        raise ValueError(message % {"prefix": prefix})
    missing = LENGTHS.get(prefix, 0) - len(digits)
    for zeros in dict.fromkeys(("", "0" * missing if missing <= MOST_ZEROS else "")):
        try:
            compact = str(rules.validate(("" if prefix in RULES_OF else prefix) + zeros + digits))
        except ValidationError:
            continue
        return prefix + compact.removeprefix(prefix)
    message = _("%(number)s is not a VAT id of %(country)s: its form or a check digit is wrong.")
    raise ValueError(message % {"number": number, "country": prefix})
