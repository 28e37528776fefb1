"""VAT ids: one form for each number, as tax law and VIES write it. Whether one is in use is another question. Pure."""

from __future__ import annotations

import re
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


def clean_vat_id(text: str) -> str:
    """The number in its one form, such as EL094259216; raises ValueError with a sentence when it cannot be right.

    Empty stays empty. Labels before the number and separators are dropped; leading zeros and the prefix of tax law
    are restored. A prefix without known rules is refused: nobody could say what it means for VAT.
    """
    typed = text.strip()
    if not typed:
        return ""
    problem = ""
    for candidate in dict.fromkeys((typed, LABEL.sub("", typed), LABEL.sub("", LABEL.sub("", typed)))):
        try:
            return _canonical(re.sub(r"[\s.\-/:]", "", candidate).upper())
        except ValueError as error:
            problem = str(error)
    raise ValueError(problem)


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
    try:
        compact = str(rules.validate(digits if prefix in RULES_OF else prefix + digits))
    except ValidationError:
        message = _("%(number)s is not a VAT id of %(country)s: its form or a check digit is wrong.")
        raise ValueError(message % {"number": number, "country": prefix}) from None
    return prefix + compact.removeprefix(prefix)
