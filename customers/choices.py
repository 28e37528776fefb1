"""What the members of a customer may do, in one table that portal and API go by; and the events of webhooks."""

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
    OPERATE = _("prepare drafts, change running orders, reveal passwords, share the status page, set up webhooks")
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


class EventKind(TextChoices):
    """What webhooks tell of. Names never change their meaning; new ones may come."""

    ORDER_PENDING = "order.pending", _("Order: waits for approval")
    ORDER_PROVISIONING = "order.provisioning", _("Order: is being provisioned")
    ORDER_ACTIVE = "order.active", _("Order: is active")
    ORDER_DEGRADED = "order.degraded", _("Order: a service is down")
    ORDER_SUSPENDED = "order.suspended", _("Order: is suspended")
    ORDER_UPGRADED = "order.upgraded", _("Order: runs another release")
    ORDER_PLAN_CHANGED = "order.plan_changed", _("Order: has another plan")
    ORDER_CHANGE_REVERTED = "order.change_reverted", _("Order: a change was taken back")
    ORDER_REMOVING = "order.removing", _("Order: is being removed")
    ORDER_REMOVED = "order.removed", _("Order: is removed")
    ORDER_ATTENTION = "order.attention", _("Order: needs attention")
    INCIDENT_OPENED = "incident.opened", _("Incident: opened")
    INCIDENT_UPDATED = "incident.updated", _("Incident: updated")
    INCIDENT_RESOLVED = "incident.resolved", _("Incident: resolved")
    INVOICE_ISSUED = "invoice.issued", _("Invoice: issued")
    INVOICE_PAID = "invoice.paid", _("Invoice: paid")
    WEBHOOK_TEST = "webhook.test", _("Test")


def selectable_events() -> list[tuple[str, str]]:
    """The kinds that a webhook can be limited to; a test is always sent."""
    return [(kind.value, str(kind.label)) for kind in EventKind if kind is not EventKind.WEBHOOK_TEST]


class MailKind(TextChoices):
    """What customers are notified of by e-mail; each person can switch each kind on and off."""

    NEEDS_YOU = "needs_you", _("A draft waits for you")
    PLACED = "placed", _("Order received")
    APPROVED = "approved", _("Order approved")
    STARTED = "started", _("Set-up started")
    ACTIVE = "active", _("Order ready")
    SUSPENDED = "suspended", _("Order suspended")
    RESUMED = "resumed", _("Order resumed")
    CHANGED = "changed", _("Order upgraded or changed")
    REMOVAL = "removal", _("Removal scheduled or done")
    INCIDENT = "incident", _("Incidents: start and end")
    MAINTENANCE = "maintenance", _("Planned maintenance")
    REPORT = "report", _("Monthly reports")
    INVOICE = "invoice", _("Invoices and credit notes")
    REMINDER = "reminder", _("Payment reminders")
    PRICE = "price", _("Price changes")

    @property
    def is_about_money(self) -> bool:
        """True of mail that goes to the contacts for invoices."""
        return self in MONEY_KINDS

    @property
    def is_on_request(self) -> bool:
        """True of mail that only those get who have switched it on."""
        return self in ON_REQUEST

    @property
    def is_for_members_only(self) -> bool:
        """True of mail that does not go to the contacts: on request, or about what only members can do."""
        return self.is_on_request or self is MailKind.NEEDS_YOU

    @property
    def is_for(self) -> tuple[Role, ...]:
        """The roles whose members get it without having chosen: those who can act on it."""
        if self.is_on_request:
            return ()
        if self is MailKind.NEEDS_YOU:
            return roles_with(Ability.ORDER)
        return roles_with(Ability.EDIT_BILLING if self.is_about_money else Ability.OPERATE)


MONEY_KINDS = (MailKind.INVOICE, MailKind.REMINDER, MailKind.PRICE)
ON_REQUEST = (MailKind.APPROVED, MailKind.STARTED)
