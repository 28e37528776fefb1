"""How staff see who pays, who may look, and what they were told."""

from __future__ import annotations

from customers.admin.customer import CustomerAdmin
from customers.admin.message import MessageAdmin
from customers.admin.people import RoleAdmin, UserAdmin
from customers.admin.token import ApiTokenAdmin
from customers.admin.webhook import EventDeliveryAdmin, WebhookAdmin
from customers.admin.whmcs import WhmcsChangeAdmin, WhmcsClientRowAdmin, WhmcsConflictAdmin, WhmcsSyncAdmin

__all__ = [
    "ApiTokenAdmin",
    "CustomerAdmin",
    "EventDeliveryAdmin",
    "MessageAdmin",
    "RoleAdmin",
    "UserAdmin",
    "WebhookAdmin",
    "WhmcsChangeAdmin",
    "WhmcsClientRowAdmin",
    "WhmcsConflictAdmin",
    "WhmcsSyncAdmin",
]
