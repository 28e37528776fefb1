"""Services of support views: start one, find the one that runs, end it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.history import record_change
from customers.models import Membership, SupportView, User

LASTS = timedelta(minutes=30)
PERMISSION = "customers.view_as_member"


class SupportViewRefused(Refusal):
    """The portal cannot be viewed as this member."""

    code = "support_view_refused"


@transaction.atomic
def start_support_view(*, membership: Membership, staff: User, why: str) -> SupportView:
    """The portal is shown to `staff` as the member sees it, for half an hour; raises SupportViewRefused."""
    if not (staff.is_staff and staff.has_perm(PERMISSION)):
        raise SupportViewRefused(_("Your role does not include viewing the portal as a member."))
    if membership.user.is_staff:
        raise SupportViewRefused(_("Accounts of staff cannot be viewed."))
    if not why.strip():
        raise SupportViewRefused(_("Give the reason."), field="why")
    now = clock.now()
    SupportView.objects.running_at(now).filter(staff=staff).update(ended_at=now)
    view = SupportView.objects.create(
        staff=staff,
        member=membership.user,
        customer=membership.customer,
        why=why.strip()[:500],
        started_at=now,
        expires_at=now + LASTS,
    )
    message = f"Viewed the portal as {membership.user.email}. {view.why}"
    record_change(customer=membership.customer, actor=staff, message=message)
    return view


def running_support_view(*, pk: int, staff: User) -> SupportView | None:
    """The view, while it runs and `staff` may still have it."""
    if not (staff.is_staff and staff.has_perm(PERMISSION)):
        return None
    views = SupportView.objects.running_at(clock.now()).select_related("member", "customer")
    return views.filter(pk=pk, staff=staff, member__is_staff=False).first()


def count_page(*, view: SupportView) -> None:
    """One more page was shown."""
    SupportView.objects.filter(pk=view.pk).update(pages=F("pages") + 1)


@transaction.atomic
def end_support_view(*, view: SupportView) -> None:
    """The portal is shown as before."""
    SupportView.objects.filter(pk=view.pk, ended_at__isnull=True).update(ended_at=clock.now())
