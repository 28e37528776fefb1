"""Services of customers: register them, give people access, write mail, issue API tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows, want
from core.errors import Refusal
from core.references import new_reference
from customers.choices import MailKind, Role
from customers.mail_rendering import pack
from customers.models import ApiToken, Customer, Membership, Message, User
from customers.notifications.recipients import recipients_of
from customers.tokens.choices import clean_networks, clean_scopes, full_access


class NothingToChange(Refusal):
    """It is so already."""

    code = "nothing_to_change"


@transaction.atomic
def register_customer(*, name: str, email: str, **fields: object) -> Customer:
    """A new active customer with a number of its own."""
    return Customer.objects.create(number=new_customer_number(), name=name, email=email, **fields)


def new_customer_number() -> str:
    """A number that no customer has."""
    while True:
        number = new_reference("C", 5)
        if not Customer.objects.filter(number=number).exists():
            return number


def similar_customers(*, name: str, email: str, vat_id: str = "") -> list[Customer]:
    """Up to three customers with the same name, e-mail address or VAT id: likely the same one."""
    same = Q(name__iexact=name.strip()) | Q(email__iexact=email.strip())
    if vat_id:
        same |= Q(vat_id=vat_id)
    return list(Customer.objects.filter(same)[:3])


@transaction.atomic
def close_customer(*, customer: Customer) -> Customer:
    """Nothing can be ordered for the customer any more; what runs goes on until its order is removed."""
    return _set_state(customer, Customer.State.CLOSED, _("%(customer)s is closed already."))


@transaction.atomic
def reopen_customer(*, customer: Customer) -> Customer:
    """The customer can order again; one that was anonymised stays closed."""
    if customer.anonymised_at:
        raise NothingToChange(_("%(customer)s stays closed.") % {"customer": customer})
    return _set_state(customer, Customer.State.ACTIVE, _("%(customer)s is active already."))


def _set_state(customer: Customer, state: Customer.State, otherwise: str) -> Customer:
    if not Customer.objects.filter(pk=customer.pk).exclude(state=state).update(state=state, updated_at=clock.now()):
        raise NothingToChange(otherwise % {"customer": customer})
    customer.state = state
    return customer


@transaction.atomic
def admit_user(*, customer: Customer, email: str, name: str = "", role: str = Role.OWNER) -> User:
    """The person at `email` may sign in and sees what `customer` has; an account is made when there is none."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        first, _space, last = name.partition(" ")
        user = User(username=email.lower()[:150], email=email.lower(), first_name=first, last_name=last)
        user.set_unusable_password()
        user.save()
    Membership.objects.get_or_create(user=user, customer=customer, defaults={"role": role})
    return user


@transaction.atomic(savepoint=False)
def write_message(
    *,
    key: str,
    customer: Customer,
    kind: MailKind | None = None,
    template: str,
    context: Mapping[str, object],
    to: Iterable[str] = (),
    attachments: Sequence[Mapping[str, str]] = (),
) -> Message | None:
    """One mail about `key`, however often it is asked for; a worker renders it in the customer's language and sends it.

    It goes to whoever wants this kind of mail, and there is none when nobody does; or to the addresses in `to`, as an
    invitation does.

    `template` names `<template>.subject.txt`, `.txt` and `.html`; `context` holds rows and plain values, of which
    rows are read again when the mail is rendered. `attachments` are {"name", "path", "type"}, the path in the default
    storage.
    """
    if (existing := Message.objects.filter(key=key).first()) is not None:
        return existing
    addresses = list(to) or (recipients_of(customer, kind) if kind else [])
    if not addresses:
        return None
    with translation.override(customer.language):
        packed = {name: pack(value) for name, value in context.items()}
    message = Message.objects.create(
        key=key,
        customer=customer,
        kind=kind or "",
        to=addresses,
        template=template,
        context=packed,
        attachments=[dict(attachment) for attachment in attachments],
        next_attempt_at=clock.now(),
    )
    enqueue_rows("mail", [message.pk])
    return message


@transaction.atomic
def write_staff_message(*, key: str, user: User, template: str, context: Mapping[str, object]) -> Message:
    """One mail to a member of staff about `key`, however often it is asked for, as by `write_message`."""
    packed = {name: pack(value) for name, value in {**context, "name": user.first_name or user.username}.items()}
    message, is_new = Message.objects.get_or_create(
        key=f"staff:{key}",
        defaults={"to": [user.email], "template": template, "context": packed, "next_attempt_at": clock.now()},
    )
    if is_new:
        enqueue_rows("mail", [message.pk])
    return message


@transaction.atomic
def resend_message(*, message: Message) -> Message:
    """The mail is sent once more, as it was, to the same addresses; one that waits is left alone."""
    message = Message.objects.select_for_update().get(pk=message.pk)
    if not message.has_failed and message.sent_at is None:
        raise NothingToChange(_("This message is waiting to be sent already."))
    want(Message.objects.filter(pk=message.pk), message.wanted_version + 1)
    enqueue_rows("mail", [message.pk])
    return message


class TokenRefused(Refusal):
    """Such a token cannot be issued."""

    code = "token_refused"


@transaction.atomic
def issue_token(
    *,
    user: User,
    name: str,
    expires_at: datetime | None = None,
    scopes: Iterable[str] | None = None,
    customer: Customer | None = None,
    networks: Iterable[str] = (),
) -> tuple[ApiToken, str]:
    """A new API token, and its text, which cannot be read again. It works for API_TOKEN_DAYS unless told otherwise.

    Without `scopes` it may do whatever its user may; with a `customer` it sees nothing of others.
    """
    limits: dict[str, list[str]] = {}
    for field, clean, values in (
        ("scopes", clean_scopes, full_access() if scopes is None else scopes),
        ("networks", clean_networks, networks),
    ):
        try:
            limits[field] = clean(values)
        except ValueError as error:
            raise TokenRefused(str(error), field=field) from error
    if customer is not None and not Customer.objects.visible_to(user).filter(pk=customer.pk).exists():
        raise TokenRefused(_("%(user)s cannot see this customer.") % {"user": user}, field="customer")
    lifetime = expires_at - clock.now() if expires_at else timedelta(days=settings.API_TOKEN_DAYS)
    row, key = ApiToken.objects.create(user=user, expiry=lifetime, name=name)
    row.scopes, row.networks, row.customer = limits["scopes"], limits["networks"], customer
    row.save(update_fields=("scopes", "networks", "customer"))
    return row, key


def revoke_token(*, token: ApiToken) -> None:
    """The token does not work any more, from the next request on."""
    token.delete()
