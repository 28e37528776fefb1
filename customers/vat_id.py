"""VAT ids: their form and their check digits, by country. Whether one is in use is another question. Pure."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

_FORM = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,18}")
_EUROPEAN_UNION = frozenset(eu_vat.MEMBER_STATES) | {"el"}  # with Northern Ireland; Greece writes EL
_NEIGHBOURS = frozenset({"ch", "gb", "no"})


def clean_vat_id(text: str) -> str:
    """`text` without spaces and points, in capitals; raises ValueError with a sentence when it cannot be right.

    Empty stays empty. Countries whose rules are not known are taken at their word.
    """
    number = re.sub(r"[\s.\-/]", "", text).upper()
    if not number:
        return ""
    if not _FORM.fullmatch(number):
        raise ValueError(_("Start with the two letters of the country, such as NL861234567B84."))
    if not _is_valid(number):
        words = _("%(number)s is not a VAT id of %(country)s: its form or a check digit is wrong.")
        raise ValueError(words % {"number": number, "country": number[:2]})
    return number


def _is_valid(number: str) -> bool:
    country = number[:2].lower()
    rules: Any = eu_vat if country in _EUROPEAN_UNION else None
    if country in _NEIGHBOURS:
        rules = get_cc_module(country, "vat")
    if rules is None:
        return True
    try:
        rules.validate(number)
    except ValidationError:
        return False
    return True
