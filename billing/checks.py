"""An invoice without a seller is none: said before the first one is issued."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from stdnum import iban

from billing.invoicing.vat import STANDARD_RATES, is_vat_id, vat_country


@register()
def seller(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """billing.E001 to E004: the seller's country, VAT number, account and logo can stand on an invoice."""
    found: list[CheckMessage] = []
    country, vat_id = settings.SELLER["country"], settings.SELLER["vat_id"]
    if vat_country(country) not in STANDARD_RATES:
        found.append(Error(f"SELLER_COUNTRY: no VAT rates are known for {country}", id="billing.E001"))
    if vat_id and not is_vat_id(vat_id):
        found.append(Error(f"SELLER_VAT_ID: {vat_id} is not a VAT number of the EU", id="billing.E002"))
    account = settings.SELLER_ACCOUNT["iban"]
    if account and not iban.is_valid(account):
        found.append(Error(f"SELLER_IBAN: {account} is not an IBAN", id="billing.E003"))
    logo = Path(settings.SELLER_LOGO)
    if settings.SELLER_LOGO and not (logo.suffix.lower() in (".svg", ".png") and logo.is_file()):
        found.append(Error(f"SELLER_LOGO: {logo} is not an SVG or PNG file that can be read", id="billing.E004"))
    return found


@register(Tags.security, deploy=True)
def seller_is_named(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """billing.W001: whoever runs this for real has said who sells."""
    missing = [name for name in ("name", "street", "city", "vat_id") if not settings.SELLER[name]]
    if not missing:
        return []
    names = ", ".join(f"SELLER_{name.upper()}" for name in missing)
    return [Warning(f"Invoices will lack what the law asks of a seller: set {names}", id="billing.W001")]
