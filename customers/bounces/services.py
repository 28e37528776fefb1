"""Services of bounces: record them, stop mail to addresses that do not work, and start it again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.bounces.report import NotAReport, read_report
from customers.mail import RefusedRecipient
from customers.models import Bounce, MailAddress, Message

# What says that the address itself does not work, in the codes of RFC 3463: no such mailbox, domain or route, moved
# away, disabled. A full mailbox, a policy or a suspicion of spam is no fault of the address.
ADDRESS_FAULTS = re.compile(r"5\.(0\.0|1\.[0-9]+|2\.[01]|4\.[14])")
ENHANCED_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
PERMANENT_ADDRESS_CODES = (550, 551, 553)  # RFC 5321, section 4.2.3
SHOWN_FOR = timedelta(days=30)
STOPPED_MESSAGE = "Mail to %s is stopped, because earlier mail came back; confirm the address first"


class AddressNotStopped(Refusal):
    """There is nothing to confirm."""

    code = "address_not_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceFacts:
    """What is known of one failed delivery."""

    address: str
    status: str
    detail: str
    kind: str
    source: str


def reference_of(message: Message) -> str:
    """How a report names the message; nobody else can make one up."""
    return _signer().sign(str(message.pk))


def record_refusals(*, message: Message, recipients: Iterable[RefusedRecipient]) -> None:
    """What the mail server refused at once is kept, however often it is noted."""
    for recipient in recipients:
        found = ENHANCED_CODE.search(recipient.answer)
        status = found[1] if found else ""
        is_hard = ADDRESS_FAULTS.fullmatch(status) if status else recipient.code in PERMANENT_ADDRESS_CODES
        _record(
            message,
            BounceFacts(
                address=recipient.address,
                status=status or str(recipient.code),
                detail=recipient.answer,
                kind=Bounce.Kind.HARD if is_hard else Bounce.Kind.SOFT,
                source=f"sent:{message.wanted_version}",
            ),
        )


def record_report(content: bytes) -> list[Bounce]:
    """The bounces that a mail reports are kept, once each; raises NotAReport when it is not about a mail of ours."""
    report = read_report(content)
    try:
        message = Message.objects.filter(pk=_signer().unsign(report.reference)).first()
    except BadSignature as error:
        raise NotAReport("The report is not about a mail of ours.") from error
    if message is None:
        raise NotAReport("The report is about a mail that is not kept any more.")
    written_to = {address.lower(): address for address in message.to}
    bounces = []
    for failure in report.recipients:
        address = written_to.get(failure.original.lower()) or written_to.get(failure.address.lower())
        if address is None and len(written_to) == 1:  # forwarded by its only recipient
            address = message.to[0]
        if address is None:
            continue
        kind = Bounce.Kind.HARD if ADDRESS_FAULTS.fullmatch(failure.status) else Bounce.Kind.SOFT
        facts = BounceFacts(address=address, status=failure.status, detail=failure.detail, kind=kind, source="report")
        bounces.append(_record(message, facts))
    if not bounces:
        raise NotAReport("The report names nobody whom the mail was sent to.")
    return bounces


def without_stopped(*, message: Message) -> list[str]:
    """The addresses that the message may go to; each that is left out is kept as a bounce that was held."""
    stopped = stopped_among(message.to)
    for address in message.to:
        if address.lower() in stopped:
            detail = STOPPED_MESSAGE % address
            facts = BounceFacts(
                address=address,
                status="",
                detail=detail,
                kind=Bounce.Kind.HELD,
                source=f"held:{message.wanted_version}",
            )
            _record(message, facts)
    return [address for address in message.to if address.lower() not in stopped]


def stopped_among(addresses: Collection[str]) -> set[str]:
    """Those that no mail is sent to, in lower case. One query."""
    rows = _rows_of(addresses).filter(stopped_at__isnull=False)
    return {address.lower() for address in rows.values_list("address", flat=True)}


def mail_problems_of(addresses: Collection[str]) -> list[MailAddress]:
    """Those among the addresses that are stopped, or that mail came back from lately. One query."""
    recent = Q(stopped_at__isnull=False) | Q(last_bounced_at__gt=clock.now() - SHOWN_FOR)
    unconfirmed = Q(confirmed_at__isnull=True) | Q(last_bounced_at__gt=F("confirmed_at"))
    return list(_rows_of(addresses).filter(recent, unconfirmed).order_by("address"))


def _rows_of(addresses: Collection[str]) -> QuerySet[MailAddress]:
    lowered = {address.lower() for address in addresses}
    return MailAddress.objects.alias(lowered=Lower("address")).filter(lowered__in=lowered)


@transaction.atomic
def confirm_address(*, address: MailAddress) -> MailAddress:
    """Mail is sent to the address again, and earlier bounces no longer count; raises AddressNotStopped."""
    address = MailAddress.objects.select_for_update().get(pk=address.pk)
    if address.stopped_at is None:
        raise AddressNotStopped(_("Mail to %(address)s is not stopped.") % {"address": address})
    address.stopped_at, address.confirmed_at = None, clock.now()
    address.save(update_fields=("stopped_at", "confirmed_at", "updated_at"))
    return address


def confirm_by_use(email: str) -> None:
    """Somebody has just read mail at `email`: it works, whatever came back before."""
    for row in MailAddress.objects.filter(address__iexact=email, stopped_at__isnull=False):
        confirm_address(address=row)


@transaction.atomic
def _record(message: Message, facts: BounceFacts) -> Bounce:
    now = clock.now()
    key = hashlib.sha256(f"{message.pk}:{facts.source}:{facts.address.lower()}".encode()).hexdigest()
    bounce, is_new = Bounce.objects.get_or_create(
        key=key,
        defaults={
            "message": message,
            "address": facts.address.lower(),
            "kind": facts.kind,
            "status": facts.status,
            "detail": facts.detail,
        },
    )
    if is_new:
        Message.objects.filter(pk=message.pk, bounced_at__isnull=True).update(bounced_at=now)
        if facts.kind == Bounce.Kind.HARD:
            _count(facts.address.lower())
    return bounce


def _count(address: str) -> None:
    """The address is stopped once so many messages have come back since it was confirmed."""
    now = clock.now()
    MailAddress.objects.get_or_create(address=address)
    row = MailAddress.objects.select_for_update().get(address=address)
    row.last_bounced_at = now
    hard = Bounce.objects.filter(address=address, kind=Bounce.Kind.HARD)
    if row.confirmed_at:
        hard = hard.filter(created_at__gt=row.confirmed_at)
    if row.stopped_at is None and hard.values("message").distinct().count() >= settings.MAIL_STOP_AFTER_BOUNCES:
        row.stopped_at = now
    row.save(update_fields=("last_bounced_at", "stopped_at", "updated_at"))


def _signer() -> Signer:
    return Signer(salt="customers.bounces")
