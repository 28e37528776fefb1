from __future__ import annotations

import re
from dataclasses import replace
from gettext import GNUTranslations
from io import BytesIO
from typing import IO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.template.loader import get_template

from billing.documents.rendering import invoice_html
from tests.billing.documents.samples import document, reverse_charged

CATALOGUE = settings.BASE_DIR / "locale/nl/LC_MESSAGES"


def texts_of(compiled: IO[bytes]) -> dict[str, str]:
    """Everything but the heading, which has the time of compilation."""
    return {key: text for key, text in GNUTranslations(compiled)._catalog.items() if key}


def dutch() -> dict[str, str]:
    with (CATALOGUE / "django.mo").open("rb") as compiled:
        return texts_of(compiled)


def test_compiled_catalogue_is_that_of_the_text() -> None:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO((CATALOGUE / "django.po").read_bytes()), locale="nl"))
    compiled.seek(0)
    assert dutch() == texts_of(compiled)


def test_every_label_of_the_invoice_is_in_dutch() -> None:
    source = get_template("billing/invoice.html").template.source
    labels = re.findall(r'{% translate "([^"]+)" %}', source)
    blocks = re.findall(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", source, re.DOTALL)
    texts = [re.sub(r"{{ (\w+) }}", r"%(\1)s", " ".join(block.split())) for block in blocks]
    assert len(labels) > 20
    assert [text for text in (*labels, *texts) if text not in dutch()] == []


def test_dutch_invoice_says_what_the_law_asks_in_dutch() -> None:
    page = invoice_html(document(language="nl"))
    for needed in ("Factuurnummer", "Btw 21% over €\xa0149,00", "Te betalen", "1 maart 2026", "Scan om te betalen"):
        assert needed in page
    assert "Btw verlegd" in invoice_html(replace(reverse_charged(), language="nl"))
