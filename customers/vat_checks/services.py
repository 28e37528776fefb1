"""Services of VAT checks: ask VIES about a customer's VAT id, again after a while."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core import clock
from core.engine.controller import enqueue_rows, want
from customers.models import Customer, VatCheck
from customers.vat_checks.vies import PREFIXES, Vies

AT_ONCE = 500  # customers per run of the clock


def is_configured() -> bool:
    """True when VIES is asked at all."""
    return bool(settings.VIES_URL)


def get_vies() -> Vies:
    """VIES as the settings name it, asked in the seller's name."""
    return Vies(url=settings.VIES_URL, requester=settings.SELLER["vat_id"])


def is_checkable(vat_id: str) -> bool:
    """True for VAT ids that VIES answers for."""
    return vat_id[:2] in PREFIXES


@transaction.atomic
def request_vat_check(*, customer: Customer) -> VatCheck | None:
    """VIES is asked about the customer's VAT id, once at a time; None when VIES does not answer for it."""
    if not (is_configured() and is_checkable(customer.vat_id)):
        return None
    check, is_new = VatCheck.objects.get_or_create(
        customer=customer, vat_id=customer.vat_id, result="", defaults={"next_attempt_at": clock.now()}
    )
    if not is_new and check.has_failed:
        want(VatCheck.objects.filter(pk=check.pk), check.wanted_version + 1)
    if is_new or check.has_failed:
        enqueue_rows("vat checks", [check.pk])
    return check


def request_due_checks() -> int:
    """VAT ids without a recent check are asked about, as many as one run takes; called by the clock."""
    if not is_configured():
        return 0
    fresh = clock.now() - timedelta(days=settings.VAT_CHECK_DAYS)
    recent = VatCheck.objects.filter(customer=OuterRef("pk"), vat_id=OuterRef("vat_id"), checked_at__gt=fresh)
    waiting = VatCheck.objects.filter(customer=OuterRef("pk"), vat_id=OuterRef("vat_id"), result="")
    in_vies = Q()
    for prefix in sorted(PREFIXES):
        in_vies |= Q(vat_id__startswith=prefix)
    customers = Customer.objects.filter(in_vies).exclude(state=Customer.State.CLOSED)
    due = customers.exclude(Exists(recent)).exclude(Exists(waiting)).order_by("pk")[:AT_ONCE]
    return sum(request_vat_check(customer=customer) is not None for customer in due)
