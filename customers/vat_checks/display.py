"""What staff read about a customer's VAT id."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from core import clock
from core.text.moments import moment_in_words
from customers.models import Customer, VatCheck
from customers.vat_checks.services import is_checkable, is_configured


@dataclass(frozen=True, slots=True, kw_only=True)
class VatStatus:
    """The state of a VAT id and what it means for the next invoice; `tone` is its colour."""

    label: str
    meaning: str
    tone: str = ""


def vat_status(customer: Customer) -> VatStatus:
    """Whether the VAT id was checked, and what that means for the next invoice. One query."""
    if not customer.vat_id:
        return VatStatus(label=_("None"), meaning=_("Invoices bear VAT as for a consumer."))
    if not is_checkable(customer.vat_id):
        return VatStatus(label=_("Not in VIES"), meaning=_("VIES does not answer for this country."))
    check = customer.vat_checks.filter(vat_id=customer.vat_id).first()
    if customer.vat_id_checked_at:
        return _checked(customer, check)
    if customer.vat_id[:2] == settings.SELLER["vat_id"][:2]:
        unchecked = _("Invoices bear VAT in any case: the customer is in our own country.")
    else:
        unchecked = _("Until VIES confirms it, the next invoice bears VAT: no reverse charge.")
    if check is not None and check.result == VatCheck.Result.INVALID:
        meaning = _("VIES does not know this VAT id as valid. The next invoice bears VAT: no reverse charge.")
        return VatStatus(label=_("Not valid"), meaning=meaning, tone="danger")
    if check is None and not is_configured():
        return VatStatus(label=_("Not checked"), meaning=f"{_('VIES_URL is not set.')} {unchecked}", tone="warning")
    if check is not None and check.last_error:
        return VatStatus(label=_("Not answered yet"), meaning=f"{check.last_error}. {unchecked}", tone="warning")
    return VatStatus(label=_("Being checked"), meaning=unchecked, tone="warning")


def _checked(customer: Customer, check: VatCheck | None) -> VatStatus:
    assert customer.vat_id_checked_at is not None  # noqa: S101  (the caller asked)
    when = moment_in_words(customer.vat_id_checked_at, clock.now())
    number = check.consultation_number if check is not None else ""
    label = _("Valid, checked %(when)s") % {"when": when}
    meaning = _("Reverse charge applies to companies in another member state.")
    if number:
        meaning = f"{_('Consultation number %(number)s.') % {'number': number}} {meaning}"
    return VatStatus(label=label, meaning=meaning, tone="success")
