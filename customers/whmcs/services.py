"""What others may ask of WHMCS: a sync, a refresh of one client, a merge, and the decision of a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import ConfigError, Refusal
from customers.models import Address, Customer, ExternalId, User, WhmcsChange, WhmcsClientRow, WhmcsConflict, WhmcsSync
from customers.whmcs.client import NotInWhmcs, WhmcsClient
from customers.whmcs.client_record import ClientDetails
from customers.whmcs.field_owners import ADDRESS_FIELDS, CUSTOMER_FIELDS
from customers.whmcs.new_customers import IS_ANOTHER
from customers.whmcs.sign_on import SignOnRefused, issue_sign_on, use_sign_on
from customers.whmcs.sync import SYSTEM, write_clients

__all__ = [
    "NotInWhmcs",
    "SignOnRefused",
    "WhmcsClient",
    "close_client",
    "customer_of_client",
    "get_client",
    "is_configured",
    "issue_sign_on",
    "keep_ours",
    "merge_clients",
    "request_refresh",
    "request_sync",
    "take_theirs",
    "use_sign_on",
]


class NotDecidable(Refusal):
    """The conflict cannot be resolved that way."""

    code = "not_decidable"


class CustomerMissing(Refusal):
    """The client of WHMCS is no customer yet."""

    code = "customer_missing"


def is_configured() -> bool:
    """True when there is a WHMCS to talk to."""
    return bool(settings.WHMCS_URL and settings.WHMCS_IDENTIFIER and settings.WHMCS_SECRET)


def get_client() -> WhmcsClient:
    """The API of the WHMCS in the settings; raises ConfigError when there is none."""
    if not is_configured():
        raise ConfigError("WHMCS_URL, WHMCS_IDENTIFIER and WHMCS_SECRET are not set")
    return WhmcsClient(
        url=settings.WHMCS_URL,
        identifier=settings.WHMCS_IDENTIFIER,
        secret=settings.WHMCS_SECRET,
        access_key=settings.WHMCS_ACCESS_KEY,
    )


@transaction.atomic
def request_sync(*, actor: AbstractBaseUser | None = None, is_deep: bool = False) -> WhmcsSync:
    """A sync of all clients that a worker will run; one that is waiting or running already is returned as it is."""
    waiting = WhmcsSync.objects.unsettled().filter(client_id=None).first()
    if waiting is not None and (waiting.is_deep or not is_deep):
        return waiting
    sync = WhmcsSync.objects.create(requested_by=str(actor or "")[:160], is_deep=is_deep, next_attempt_at=clock.now())
    enqueue_rows("whmcs", [sync.pk])
    return sync


@transaction.atomic
def request_refresh(*, client_id: int, requested_by: str = "") -> WhmcsSync:
    """One client will be read by a worker; asking again while it waits changes nothing."""
    waiting = WhmcsSync.objects.unsettled().filter(client_id=client_id, leased_until=None).first()
    if waiting is not None:
        return waiting
    sync = WhmcsSync.objects.create(client_id=client_id, requested_by=requested_by, next_attempt_at=clock.now())
    enqueue_rows("whmcs", [sync.pk])
    return sync


def customer_of_client(client: Mapping[str, Any]) -> Customer:
    """The customer of the client that the module describes, created where it is missing; raises CustomerMissing.

    `client` has the fields of GetClientsDetails, which the module has at hand: nothing is asked of WHMCS.
    """
    details = ClientDetails.read(client)
    if details is None:
        raise CustomerMissing(_("The client has no id."), field="client")
    if (customer := _linked_customer(details.client_id)) is None:
        write_clients([], {details.client_id: details})
        customer = _linked_customer(details.client_id)
    if customer is None:
        message = _("Client %(id)s of WHMCS is no customer yet: staff have to resolve its conflict first.")
        raise CustomerMissing(message % {"id": details.client_id}, field="client")
    return customer


@transaction.atomic
def close_client(*, client_id: int) -> None:
    """The customer of a client that WHMCS closed is closed; what runs goes on until its order is removed."""
    row = (
        WhmcsClientRow.objects.select_for_update(of=("self",))
        .filter(client_id=client_id)
        .select_related("customer")
        .first()
    )
    if row is None or row.customer is None or row.customer.state == Customer.State.CLOSED:
        return
    _note_change(row, row.customer, {"state": [row.customer.state, str(Customer.State.CLOSED)]})
    _close(row.customer)
    row.values = {**row.values, "state": str(Customer.State.CLOSED)}
    row.save(update_fields=("values", "updated_at"))


@transaction.atomic
def merge_clients(*, from_id: int, to_id: int) -> None:
    """The customer of the client that was merged away is closed; staff are asked to look after its orders.

    Orders and invoices stay with the customer that they were made for: an issued invoice never changes its buyer.
    """
    row, _is_new = WhmcsClientRow.objects.select_for_update().get_or_create(client_id=from_id)
    if row.merged_into == to_id or from_id == to_id:
        return
    customer = row.customer or _linked_customer(from_id)
    row.customer, row.merged_into = customer, to_id
    row.save(update_fields=("customer", "merged_into", "updated_at"))
    WhmcsConflict.objects.filter(client_id=from_id, resolved_at=None).update(resolved_at=clock.now())
    if customer is None:
        return
    _note_change(row, customer, {"merged into client": ["", str(to_id)]})
    _close(customer)
    WhmcsConflict.objects.create(
        client_id=from_id,
        customer=customer,
        kind=WhmcsConflict.Kind.MERGED,
        here=str(customer),
        there=str(_linked_customer(to_id) or to_id),
    )


@transaction.atomic
def take_theirs(*, conflict: WhmcsConflict, actor: User) -> WhmcsConflict:
    """The value of WHMCS is taken; a possible duplicate is linked with the customer that was found."""
    conflict = _locked(conflict)
    if conflict.kind == WhmcsConflict.Kind.DUPLICATE:
        _link(conflict)
    elif conflict.kind == WhmcsConflict.Kind.CHANGED_HERE:
        _take_value(conflict)
    else:
        raise NotDecidable(_("There is no value to take: correct it in WHMCS, or mark it as resolved."))
    return _resolve(conflict, actor)


@transaction.atomic
def keep_ours(*, conflict: WhmcsConflict, actor: User) -> WhmcsConflict:
    """What Geocat Live has is kept until WHMCS changes it again; a possible duplicate becomes a customer of its own."""
    conflict = _locked(conflict)
    row, _is_new = WhmcsClientRow.objects.get_or_create(client_id=conflict.client_id)
    if conflict.kind == WhmcsConflict.Kind.DUPLICATE:
        row.kept_here = sorted({*row.kept_here, IS_ANOTHER})
        row.digest = ""  # so that the next sync reads its details
    elif conflict.kind == WhmcsConflict.Kind.CHANGED_HERE:
        row.kept_here = sorted({*row.kept_here, conflict.field})
        row.values = {**row.values, conflict.field: conflict.there}
    row.save(update_fields=("kept_here", "values", "digest", "updated_at"))
    if conflict.kind == WhmcsConflict.Kind.DUPLICATE and is_configured():
        request_refresh(client_id=conflict.client_id, requested_by=str(actor))
    return _resolve(conflict, actor)


def _locked(conflict: WhmcsConflict) -> WhmcsConflict:
    row = WhmcsConflict.objects.select_for_update(of=("self",)).select_related("customer").get(pk=conflict.pk)
    if row.resolved_at is not None:
        raise NotDecidable(_("This conflict is resolved already."))
    return row


def _resolve(conflict: WhmcsConflict, actor: User) -> WhmcsConflict:
    conflict.resolved_at, conflict.resolved_by = clock.now(), actor
    conflict.save(update_fields=("resolved_at", "resolved_by", "updated_at"))
    return conflict


def _link(conflict: WhmcsConflict) -> None:
    customer = conflict.customer
    if customer is None or customer.external_ids.filter(system=SYSTEM).exists():
        raise NotDecidable(_("That customer belongs to another client of WHMCS already."))
    ExternalId.objects.create(customer=customer, system=SYSTEM, value=str(conflict.client_id))
    # Without a digest the next sync reads the details; without values it takes them all.
    WhmcsClientRow.objects.update_or_create(
        client_id=conflict.client_id, defaults={"customer": customer, "values": {}, "digest": ""}
    )
    if is_configured():
        request_refresh(client_id=conflict.client_id)


def _take_value(conflict: WhmcsConflict) -> None:
    row = WhmcsClientRow.objects.select_related("customer").get(client_id=conflict.client_id)
    if row.customer is None:
        raise NotDecidable(_("The client is no customer."))
    _note_change(row, row.customer, {conflict.field: [conflict.here, conflict.there]})
    now = clock.now()
    if conflict.field in CUSTOMER_FIELDS:
        Customer.objects.filter(pk=row.customer.pk).update(**{conflict.field: conflict.there}, updated_at=now)
    elif conflict.field in ADDRESS_FIELDS:
        general = Address.objects.filter(customer=row.customer, kind=Address.Kind.GENERAL)
        general.update(**{conflict.field: conflict.there}, updated_at=now)
    row.values = {**row.values, conflict.field: conflict.there}
    row.save(update_fields=("values", "updated_at"))


def _linked_customer(client_id: int) -> Customer | None:
    link = ExternalId.objects.filter(system=SYSTEM, value=str(client_id)).select_related("customer").first()
    return link.customer if link else None


def _close(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(state=Customer.State.CLOSED, updated_at=clock.now())


def _note_change(row: WhmcsClientRow, customer: Customer, changes: dict[str, list[str]]) -> None:
    WhmcsChange.objects.create(customer=customer, client_id=row.client_id, at=clock.now(), changes=changes)
