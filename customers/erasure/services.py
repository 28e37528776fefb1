"""Services of erasure: anonymise a customer, with what every room keeps of it.

Issued invoices, payments and the evidence for VAT stay as they are: tax law wants them for years, and the database
refuses to change them. Rooms above register what forbids the erasure, and what they remove.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.erasure.accounts import anonymise_account
from customers.history import record_change
from customers.models import Bounce, Customer, MailAddress, Message, User, WhmcsChange, WhmcsClientRow, WhmcsConflict

Obstacles = Callable[[Customer], Iterable[str]]
Eraser = Callable[[Customer], object]
_obstacles: dict[str, Obstacles] = {}
_erasers: dict[str, Eraser] = {}

EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.,;]+")


class ErasureRefused(Refusal):
    """The customer cannot be anonymised yet."""

    code = "erasure_refused"


def register_erasure(name: str, *, obstacles: Obstacles, eraser: Eraser) -> None:
    """A room says what forbids the erasure, and removes what it keeps of people; both are asked in the transaction."""
    _obstacles[name], _erasers[name] = obstacles, eraser


def obstacles_to_erasure(customer: Customer) -> list[str]:
    """The sentences that say what has to be done first; empty when the customer can be anonymised."""
    if customer.anonymised_at:
        return [_("This customer has been anonymised already.")]
    return [sentence for ask in _obstacles.values() for sentence in ask(customer)]


@transaction.atomic
def anonymise_customer(*, customer: Customer, actor: User, why: str) -> Customer:
    """Nothing here identifies the customer or its people any more, except what the law says to keep."""
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if obstacles := obstacles_to_erasure(customer):
        raise ErasureRefused(" ".join(obstacles))
    names = (customer.name, str(customer))
    for erase in _erasers.values():
        erase(customer)
    _erase_people(customer)
    _erase_mail(customer)
    _erase_whmcs(customer)
    # The bodies of deliveries name the customer; they go with their webhooks.
    gone = (customer.addresses, customer.contacts, customer.vat_checks, customer.support_views)
    for related in (*gone, customer.webhooks, customer.api_tokens):
        related.all().delete()
    customer.name = _("Anonymised customer %(number)s") % {"number": customer.number}
    customer.email = f"{customer.number.lower()}@anonymised.invalid"
    customer.phone = customer.vat_id = customer.notes = ""
    customer.vat_id_checked_at = None
    customer.state, customer.anonymised_at = Customer.State.CLOSED, clock.now()
    customer.save()
    _redact_history(customer, names)
    record_change(customer=customer, actor=actor, message=f"Anonymised. {EMAIL.sub('…', why)}".strip())
    return customer


def _erase_people(customer: Customer) -> None:
    """Memberships and invitations go; accounts of people who belong to no other customer are anonymised."""
    people = list(User.objects.filter(memberships__customer=customer))
    customer.invitations.all().delete()
    customer.memberships.all().delete()
    for user in people:
        if not user.is_staff and not user.memberships.exists():
            anonymise_account(user)


def _erase_mail(customer: Customer) -> None:
    """That a mail was sent stays, under its key; its texts and addresses go. What waits is not sent any more."""
    bounces = Bounce.objects.filter(message__customer=customer)
    MailAddress.objects.filter(address__in=bounces.values("address")).delete()
    bounces.delete()
    Message.objects.filter(customer=customer).update(
        to=[],
        subject="",
        text="",
        html="",
        context={},
        template="",
        attachments=[],
        next_attempt_at=None,
        failed_version=0,
    )


def _erase_whmcs(customer: Customer) -> None:
    """What was read from WHMCS goes; the client stays linked, so that no sync creates the customer again."""
    WhmcsChange.objects.filter(customer=customer).delete()
    WhmcsConflict.objects.filter(customer=customer).delete()
    WhmcsClientRow.objects.filter(customer=customer).update(values={}, people=[], digest="", kept_here=[])


def _redact_history(customer: Customer, names: Iterable[str]) -> None:
    """Who of the staff did what, and when, stays; names and e-mail addresses of the customer go."""
    content_type = ContentType.objects.get_for_model(Customer)
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(customer.pk))
    for entry in entries:
        message = EMAIL.sub("…", entry.change_message)
        for name in names:
            message = message.replace(name, "…")
        entry.object_repr, entry.change_message = customer.number, message
    LogEntry.objects.bulk_update(entries, ("object_repr", "change_message"), batch_size=500)
