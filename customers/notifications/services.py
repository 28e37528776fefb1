"""A person's choices of mail, and what he or she was notified of."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from core import clock
from core.errors import PermanentError
from customers.choices import MONEY_KINDS, Ability, MailKind
from customers.mail_rendering import RenderedMail, render_mail
from customers.models import Customer, MailChoice, Message, User
from customers.notifications.recipients import contacts_for, recipients_of

__all__ = [
    "choose_kinds",
    "kinds_for",
    "kinds_on",
    "mark_read",
    "notifications_of",
    "recipients_of",
    "texts_of",
]


def kinds_for(user: User) -> list[MailKind]:
    """The kinds that the person can choose: those about money only with a role that sees invoices."""
    sees_invoices = Customer.objects.where_may(user, Ability.SEE_INVOICES).exists()
    return [kind for kind in MailKind if sees_invoices or not kind.is_about_money]


def kinds_on(user: User) -> set[MailKind]:
    """What the person gets: as chosen, else by role and as the contacts of his or her customers say."""
    chosen = {MailKind(row.kind): row.is_on for row in MailChoice.objects.filter(user=user)}
    unchosen = _by_contacts(user) | _by_role(user)
    return {kind for kind in MailKind if chosen.get(kind, kind in unchosen)}


@transaction.atomic
def choose_kinds(*, user: User, kinds: Collection[MailKind]) -> None:
    """The person gets exactly these kinds from now on, of those that he or she can choose."""
    rows = [MailChoice(user=user, kind=kind, is_on=kind in kinds) for kind in kinds_for(user)]
    MailChoice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=("user", "kind"), update_fields=("is_on", "updated_at")
    )


def notifications_of(user: User) -> QuerySet[Message]:
    """The mail to the customers that the person belongs to, newest first; about money only where the role allows."""
    member_of = Customer.objects.visible_to(user)
    money = Customer.objects.where_may(user, Ability.SEE_INVOICES)
    rows = Message.objects.filter(customer__in=member_of).exclude(kind="")
    return rows.filter(~Q(kind__in=MONEY_KINDS) | Q(customer__in=money)).order_by("-pk")


def texts_of(message: Message) -> RenderedMail | None:
    """The texts as they were sent, or as they will be; None where what they are about is gone."""
    try:
        return render_mail(message)
    except PermanentError:
        return None


def mark_read(user: User) -> None:
    """Everything until now counts as read."""
    User.objects.filter(pk=user.pk).update(notifications_read_at=clock.now())


def _by_role(user: User) -> set[MailKind]:
    if user.is_staff:
        return set()
    roles = set(user.memberships.values_list("role", flat=True))
    return {kind for kind in MailKind if roles & set(kind.is_for)}


def _by_contacts(user: User) -> set[MailKind]:
    address = user.email.lower()
    kinds = set()
    for customer in Customer.objects.visible_to(user).prefetch_related("contacts"):
        for about_invoices in (False, True):
            if address in {email.lower() for email in contacts_for(customer, about_invoices=about_invoices)}:
                kinds |= {kind for kind in MailKind if kind.is_about_money is about_invoices}
    return {kind for kind in kinds if not kind.is_for_members_only}
