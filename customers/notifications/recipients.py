"""The addresses that a mail goes to: the customer's contacts, and the members who can act on it or have chosen it."""

from __future__ import annotations

from customers.choices import Ability, MailKind, roles_with
from customers.models import Customer, MailChoice, Membership


def recipients_of(customer: Customer, kind: MailKind) -> list[str]:
    """The contacts for this kind with its members, without those who switched it off.

    Without a choice, members get what their role can act on. Mail about money always goes to somebody: when
    everybody has switched it off, to the contacts.
    """
    base = [] if kind.is_for_members_only else contacts_for(customer, about_invoices=kind.is_about_money)
    wants = _members(customer, kind)
    wanted_by = {email.lower(): is_on for email, is_on in wants}
    kept = [email for email in base if wanted_by.get(email.lower(), True)]
    kept_addresses = {email.lower() for email in kept}
    added = [email for email, is_on in wants if is_on and email.lower() not in kept_addresses]
    return [*kept, *added] or (base if kind.is_about_money else [])


def contacts_for(customer: Customer, *, about_invoices: bool = False) -> list[str]:
    """The contacts chosen for this kind of mail; the customer's own address when there are none."""
    wanted = {"about_invoices": True} if about_invoices else {"about_orders": True}
    return list(customer.contacts.filter(**wanted).values_list("email", flat=True)) or [customer.email]


def _members(customer: Customer, kind: MailKind) -> list[tuple[str, bool]]:
    """Each member who has chosen, or who gets this kind by role; a contact who has not chosen stays a contact."""
    members = Membership.objects.filter(customer=customer, user__is_active=True, user__is_staff=False)
    members = members.exclude(user__email="")
    if kind.is_about_money:
        members = members.filter(role__in=roles_with(Ability.SEE_INVOICES))
    choices = dict(
        MailChoice.objects.filter(kind=kind, user__memberships__in=members).values_list("user", "is_on").distinct()
    )
    rows = members.order_by("user__email").values_list("user", "user__email", "role")
    return [(email, choices.get(user, True)) for user, email, role in rows if user in choices or role in kind.is_for]
