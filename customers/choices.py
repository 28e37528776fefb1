"""What the members of a customer may do: one table of roles, which portal and API go by. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """The role of a member."""

    OWNER = "owner", _("Owner")
    TECHNICAL = "technical", _("Technical")
    BILLING = "billing", _("Billing")
    READ_ONLY = "read_only", _("Read-only")


class Ability(Enum):
    """What a role can include. Every member sees the customer, its orders and their availability."""

    ORDER = _("place and cancel orders")
    OPERATE = _("prepare drafts, change running orders, reveal passwords, share the status page")
    SEE_INVOICES = _("see invoices, payments and subscriptions")
    EDIT_BILLING = _("change billing details")
    MANAGE_TEAM = _("invite people, change their roles, remove them")


ABILITIES: Mapping[Role, frozenset[Ability]] = {
    Role.OWNER: frozenset(Ability),
    Role.TECHNICAL: frozenset({Ability.OPERATE}),
    Role.BILLING: frozenset({Ability.SEE_INVOICES, Ability.EDIT_BILLING}),
    Role.READ_ONLY: frozenset({Ability.SEE_INVOICES}),
}


def roles_with(ability: Ability) -> tuple[Role, ...]:
    """The roles that include `ability`."""
    return tuple(role for role in Role if ability in ABILITIES[role])
