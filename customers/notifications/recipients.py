"""The addresses that a mail goes to: the customer's contacts and what its members have chosen."""

from __future__ import annotations

from customers.choices import ABILITIES, Ability, MailKind, Role
from customers.models import Customer, MailChoice


def recipients_of(customer: Customer, kind: MailKind) -> list[str]:
    """The contacts for this kind with the members who switched it on, without those who switched it off.

    Mail about money always goes to somebody: when everybody has switched it off, to the contacts.
    """
    base = [] if kind.is_on_request else contacts_for(customer, about_invoices=kind.is_about_money)
    chosen = {email.lower(): (email, is_on) for email, is_on in _choices(customer, kind)}
    kept = [email for email in base if chosen.get(email.lower(), ("", True))[1]]
    kept_addresses = {email.lower() for email in kept}
    added = [email for address, (email, is_on) in chosen.items() if is_on and address not in kept_addresses]
    return [*kept, *added] or (base if kind.is_about_money else [])


def contacts_for(customer: Customer, *, about_invoices: bool = False) -> list[str]:
    """The contacts chosen for this kind of mail; the customer's own address when there are none."""
    wanted = {"about_invoices": True} if about_invoices else {"about_orders": True}
    return list(customer.contacts.filter(**wanted).values_list("email", flat=True)) or [customer.email]


def _choices(customer: Customer, kind: MailKind) -> list[tuple[str, bool]]:
    rows = MailChoice.objects.filter(kind=kind, user__is_active=True, user__is_staff=False)
    rows = rows.filter(user__memberships__customer=customer).exclude(user__email="")
    if kind.is_about_money:
        roles = [role for role in Role if Ability.SEE_INVOICES in ABILITIES[role]]
        rows = rows.filter(user__memberships__customer=customer, user__memberships__role__in=roles)
    return list(rows.order_by("user__email").values_list("user__email", "is_on").distinct())
