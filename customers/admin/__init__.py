"""How staff see who pays, who may look, and what they were told."""

from __future__ import annotations

from customers.admin.customer import CustomerAdmin
from customers.admin.invitation import InvitationAdmin
from customers.admin.message import MailAddressAdmin, MessageAdmin
from customers.admin.people import RoleAdmin, UserAdmin
from customers.admin.support_view import SupportViewAdmin
from customers.admin.token import ApiTokenAdmin
from customers.admin.vat_check import VatCheckAdmin
from customers.admin.webhook import EventDeliveryAdmin, WebhookAdmin
from customers.admin.whmcs import WhmcsChangeAdmin, WhmcsClientRowAdmin, WhmcsConflictAdmin, WhmcsSyncAdmin

__all__ = [
    "ApiTokenAdmin",
    "CustomerAdmin",
    "EventDeliveryAdmin",
    "InvitationAdmin",
    "MailAddressAdmin",
    "MessageAdmin",
    "RoleAdmin",
    "SupportViewAdmin",
    "UserAdmin",
    "VatCheckAdmin",
    "WebhookAdmin",
    "WhmcsChangeAdmin",
    "WhmcsClientRowAdmin",
    "WhmcsConflictAdmin",
    "WhmcsSyncAdmin",
]
