"""Who pays, who may look, and what they were told."""

from __future__ import annotations

from customers.models.bounce import Bounce, MailAddress
from customers.models.customer import Address, Contact, Customer, CustomerQuerySet, ExternalId
from customers.models.invitation import Invitation
from customers.models.mail_choice import MailChoice
from customers.models.message import Message
from customers.models.people import Membership, User
from customers.models.sign_on import SignOn
from customers.models.support_view import SupportView
from customers.models.token import ApiToken
from customers.models.vat_check import VatCheck
from customers.models.webhook import EventDelivery, Webhook
from customers.models.whmcs import WhmcsChange, WhmcsClientRow, WhmcsConflict, WhmcsSync

__all__ = [
    "Address",
    "ApiToken",
    "Bounce",
    "Contact",
    "Customer",
    "CustomerQuerySet",
    "EventDelivery",
    "ExternalId",
    "Invitation",
    "MailAddress",
    "MailChoice",
    "Membership",
    "Message",
    "SignOn",
    "SupportView",
    "User",
    "VatCheck",
    "Webhook",
    "WhmcsChange",
    "WhmcsClientRow",
    "WhmcsConflict",
    "WhmcsSync",
]
