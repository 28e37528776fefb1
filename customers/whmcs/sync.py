"""WHMCS → customers, a page at a time: read outside any transaction, then written in one, and only what changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import TransientError
from customers.models import Address, Customer, ExternalId, WhmcsChange, WhmcsClientRow, WhmcsConflict
from customers.whmcs.client import WhmcsClient
from customers.whmcs.client_record import ClientDetails, ClientPerson, ClientSummary, people_of
from customers.whmcs.comparison import Comparison, compare
from customers.whmcs.conflicts import ConflictList, FoundConflict
from customers.whmcs.field_owners import ADDRESS_FIELDS, ADDRESS_NEEDS, CUSTOMER_FIELDS, language_of, read_values
from customers.whmcs.new_customers import NewCustomer, create_customers, find_duplicates
from customers.whmcs.reading import read_details

SYSTEM = "whmcs"
WRITTEN_MEANWHILE = "Another sync wrote the same client; trying again"
PAGE_SIZE = 100

Report = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class PageResult:
    """What one page led to."""

    read: int = 0
    created: int = 0
    changed: int = 0
    conflicts: int = 0
    next_start: int | None = None
    last_id: int = 0


@dataclass(slots=True, kw_only=True)
class _Page:
    """A page in the middle of its work."""

    report: Report
    is_dry: bool
    result: PageResult
    conflicts: ConflictList
    new: list[NewCustomer] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    rows: list[WhmcsClientRow] = field(default_factory=list)
    history: list[WhmcsChange] = field(default_factory=list)


def sync_page(
    client: WhmcsClient,
    *,
    start: int = 0,
    after_id: int = 0,
    is_deep: bool = False,
    is_dry: bool = False,
    report: Report = lambda line: None,
) -> PageResult:
    """Customers equal the clients of this page in what WHMCS owns. Raises OutsideError; then nothing was written.

    `after_id` is the last id of the page before: a client between both that the page does not list is missing in WHMCS.
    """
    page = client.clients(start=start, limit=PAGE_SIZE)
    digests = {summary.client_id: summary.digest for summary in page.clients}
    ids = list(digests)
    read_before = dict(WhmcsClientRow.objects.filter(client_id__in=ids).values_list("client_id", "digest"))
    stale = [client_id for client_id in ids if is_deep or digests[client_id] != read_before.get(client_id)]
    details = read_details(client, stale, with_contacts=is_deep)
    result = write_clients(list(page.clients), details, is_dry=is_dry, report=report, read=page.returned)
    result.next_start, result.last_id = page.next_start, max(ids, default=after_id)
    if ids == sorted(ids):
        result.conflicts += list_missing(after_id, ids, is_last=page.next_start is None, is_dry=is_dry, report=report)
    return result


def sync_client(client: WhmcsClient, client_id: int, *, is_dry: bool = False) -> PageResult:
    """The customer of one client equals it in what WHMCS owns; one that WHMCS no longer has is listed for staff."""
    details = read_details(client, [client_id], with_contacts=True)
    if not details:
        found = list_missing(client_id - 1, [], is_last=False, until=client_id, is_dry=is_dry, report=lambda line: None)
        return PageResult(read=1, conflicts=found)
    return write_clients([], details, is_dry=is_dry, report=lambda line: None, read=1)


def write_clients(
    summaries: Sequence[ClientSummary],
    details: dict[int, ClientDetails],
    *,
    is_dry: bool = False,
    report: Report = lambda line: None,
    read: int = 0,
) -> PageResult:
    """The customers of these clients are created or changed, in one transaction and a constant number of queries."""
    digests = {summary.client_id: summary.digest for summary in summaries}
    ids = list(dict.fromkeys((*digests, *details)))
    try:
        with transaction.atomic():
            page = _Page(report=report, is_dry=is_dry, result=PageResult(read=read), conflicts=ConflictList(ids))
            _compare_page(page, ids, digests, details)
            _write_page(page)
    except IntegrityError as error:
        raise TransientError(WRITTEN_MEANWHILE) from error
    return page.result


def _compare_page(
    page: _Page, ids: Collection[int], digests: dict[int, str], details: dict[int, ClientDetails]
) -> None:
    rows = {
        row.client_id: row
        for row in WhmcsClientRow.objects.select_for_update(of=("self",))
        .filter(client_id__in=ids)
        .select_related("customer")
        .prefetch_related("customer__addresses")
    }
    unlinked = [client_id for client_id in ids if client_id not in rows or rows[client_id].customer is None]
    linked = _linked(unlinked)
    for client_id in ids:
        row = rows.get(client_id) or WhmcsClientRow(client_id=client_id)
        if row.customer is None and client_id in linked:
            row.customer = linked[client_id]
        if row.customer is not None and row.customer.anonymised_at:
            continue
        if row.customer is not None:
            _compare_customer(page, row, row.customer, digests.get(client_id), details.get(client_id))
        elif client_id in details:
            _prepare_new(page, row, digests.get(client_id, ""), details[client_id])
    _list_duplicates(page)


def _linked(client_ids: Sequence[int]) -> dict[int, Customer]:
    """Customers that have the external id of a client: staff gave it to them, or another sync created them."""
    if not client_ids:
        return {}
    found = ExternalId.objects.filter(system=SYSTEM, value__in=[str(number) for number in client_ids])
    found = found.select_related("customer").prefetch_related("customer__addresses")
    return {int(link.value): link.customer for link in found}


def _compare_customer(
    page: _Page, row: WhmcsClientRow, customer: Customer, digest: str | None, details: ClientDetails | None
) -> None:
    address = next((item for item in customer.addresses.all() if item.kind == Address.Kind.GENERAL), None)
    here = {name: str(getattr(customer, name)) for name in CUSTOMER_FIELDS}
    here |= {name: str(getattr(address, name)) if address else "" for name in ADDRESS_FIELDS}
    values, refused = read_values(details) if details else (row.values, None)
    if address is None and not all(values.get(name) for name in ADDRESS_NEEDS):
        values = {name: value for name, value in values.items() if name not in ADDRESS_FIELDS}
    if refused is not None:
        page.conflicts.replace(row.client_id, WhmcsConflict.Kind.INVALID, customer, refused)
    before, people = row.values, people_of(details, former=row.people)
    result = compare(before=before, now=values, here=here, kept_here=row.kept_here)
    page.conflicts.replace_differences(row.client_id, customer, result.conflicts)
    _apply(page, row, customer, address, result)
    _keep_row(page, row, {**before, **values}, digest, result, people)


def _apply(page: _Page, row: WhmcsClientRow, customer: Customer, address: Address | None, result: Comparison) -> None:
    if not result.changes:
        return
    page.result.changed += 1
    listed = ", ".join(f"{name} “{old}” → “{new}”" for name, (old, new) in result.changes.items())
    page.report(
        _("change %(customer)s (client %(id)s): %(changes)s")
        % {"customer": customer.number, "id": row.client_id, "changes": listed}
    )
    for name, (_old, new) in result.changes.items():
        if name in CUSTOMER_FIELDS:
            setattr(customer, name, new)
    if "vat_id" in result.changes:
        customer.vat_id_checked_at = None
    if result.changes.keys() & set(CUSTOMER_FIELDS):
        page.customers.append(customer)
    if result.changes.keys() & set(ADDRESS_FIELDS):
        address = address or Address(customer=customer, kind=Address.Kind.GENERAL)
        for name in ADDRESS_FIELDS:
            if name in result.changes:
                setattr(address, name, result.changes[name][1])
        page.addresses.append(address)
    changes = {name: list(values) for name, values in result.changes.items()}
    page.history.append(WhmcsChange(customer=customer, client_id=row.client_id, at=clock.now(), changes=changes))


def _keep_row(
    page: _Page,
    row: WhmcsClientRow,
    values: dict[str, str],
    digest: str | None,
    result: Comparison,
    people: list[ClientPerson],
) -> None:
    """The row remembers what WHMCS has; a field in conflict keeps its former value, so that it stays one."""
    for difference in result.conflicts:
        if difference.field in row.values:
            values[difference.field] = row.values[difference.field]
        else:
            values.pop(difference.field, None)
    kept = list(result.kept_here)
    digest = row.digest if digest is None else digest
    fresh = (values, digest, kept, people, None)
    if row.pk is None or (row.values, row.digest, row.kept_here, row.people, row.gone_at) != fresh:
        row.values, row.digest, row.kept_here, row.people, row.gone_at = fresh
        page.rows.append(row)


def _prepare_new(page: _Page, row: WhmcsClientRow, digest: str, details: ClientDetails) -> None:
    values, refused = read_values(details)
    if "email" in refused or "name" in refused or row.merged_into is not None:
        page.conflicts.replace(row.client_id, WhmcsConflict.Kind.INVALID, None, refused)
        return
    language = language_of(details, dict(settings.LANGUAGES))
    row.digest, row.values, row.people = digest, values, people_of(details, former=row.people)
    page.new.append(NewCustomer(row=row, values=values, language=language, refused=refused))


def _list_duplicates(page: _Page) -> None:
    """A new client that looks like a customer we have is not created: staff link it, or say that it is another."""
    duplicates = find_duplicates([new for new in page.new if not new.is_confirmed])
    if _linked(list(duplicates)):
        raise TransientError(WRITTEN_MEANWHILE)  # it looks like itself: another sync has just created it
    for new in list(page.new):
        similar = duplicates.get(new.row.client_id)
        found = {"": new.values["name"]} if similar else {}
        page.conflicts.replace(new.row.client_id, WhmcsConflict.Kind.DUPLICATE, similar, found)
        if similar:
            page.new.remove(new)


def _write_page(page: _Page) -> None:
    for new in page.new:
        page.report(_("create %(name)s (client %(id)s)") % {"name": new.values["name"], "id": new.row.client_id})
    for conflict in page.conflicts.new:
        page.report(_conflict_line(conflict))
    page.result.created, page.result.conflicts = len(page.new), len(page.conflicts.new)
    if page.is_dry:
        return
    now = clock.now()
    for customer in page.customers:
        customer.updated_at = now
    for item in (*page.addresses, *page.rows):
        item.updated_at = now
    if page.customers:
        Customer.objects.bulk_update(page.customers, (*CUSTOMER_FIELDS, "vat_id_checked_at", "updated_at"))
    if changed := [address for address in page.addresses if address.pk]:
        Address.objects.bulk_update(changed, (*ADDRESS_FIELDS, "updated_at"))
    Address.objects.bulk_create([address for address in page.addresses if not address.pk])
    create_customers(page.new, page.rows)
    WhmcsClientRow.objects.bulk_create([row for row in page.rows if not row.pk])
    if kept := [row for row in page.rows if row.pk]:
        fields = ("customer", "values", "people", "digest", "kept_here", "gone_at", "updated_at")
        WhmcsClientRow.objects.bulk_update(kept, fields)
    WhmcsChange.objects.bulk_create(page.history)
    page.conflicts.write()


def list_missing(
    after_id: int, ids: Sequence[int], *, is_last: bool, is_dry: bool, report: Report, until: int | None = None
) -> int:
    """Clients that we have and the page skips are listed for staff; nothing is closed or deleted."""
    rows = WhmcsClientRow.objects.filter(client_id__gt=after_id, gone_at=None, merged_into=None)
    if not is_last:
        rows = rows.filter(client_id__lte=until if until is not None else max(ids, default=after_id))
    missing = list(rows.exclude(client_id__in=ids).select_related("customer"))
    if not missing:
        return 0
    conflicts = ConflictList([row.client_id for row in missing])
    for row in missing:
        name = row.values.get("name", "")
        conflicts.replace(row.client_id, WhmcsConflict.Kind.GONE, row.customer, {"": name})
    for conflict in conflicts.new:
        report(_conflict_line(conflict))
    if not is_dry:
        with transaction.atomic():
            rows.filter(client_id__in=[row.client_id for row in missing]).update(gone_at=clock.now())
            conflicts.write()
    return len(conflicts.new)


def _conflict_line(conflict: FoundConflict) -> str:
    kind = WhmcsConflict.Kind(conflict.kind).label
    text = _("conflict (client %(id)s): %(kind)s %(field)s “%(there)s”")
    return text % {"id": conflict.client_id, "kind": kind, "field": conflict.field, "there": conflict.there}
