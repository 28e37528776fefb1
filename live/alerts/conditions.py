"""What needs attention at this moment, in every room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Model
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import Invoice
from core import clock
from core.money import Money
from customers.models import MailAddress, Message
from infrastructure.models import DriftFinding, Observation
from live.models import AlertKind
from monitoring.models import BackendStatus
from orders.choices import State
from orders.models import Order

SILENT_FOR = timedelta(minutes=5)

# Who may read about it; nobody is mailed what the admin would not show.
PERMISSIONS = {
    AlertKind.ORDER_ATTENTION: "orders.view_order",
    AlertKind.ORDER_APPROVAL: "orders.view_order",
    AlertKind.PROVIDER_UNREACHABLE: "infrastructure.view_provider",
    AlertKind.BACKEND_SILENT: "monitoring.view_backendstatus",
    AlertKind.DRIFT_FOUND: "infrastructure.view_driftfinding",
    AlertKind.MAIL_FAILED: "customers.view_message",
    AlertKind.INVOICE_OVERDUE: "billing.view_invoice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that needs attention; `key` stays the same for as long as it lasts."""

    key: str
    kind: AlertKind
    title: str
    reason: str
    next_step: str
    path: str


def current_conditions() -> list[Condition]:
    """Everything that needs attention now, in a fixed number of queries."""
    with translation.override(settings.LANGUAGE_CODE):
        return [
            *_orders(),
            *_unreachable_providers(),
            *_silent_backends(),
            *_drift(),
            *_failed_mail(),
            *_stopped_addresses(),
            *_overdue_invoices(),
        ]


def _orders() -> Iterator[Condition]:
    for order in Order.objects.needing_attention().select_related("customer"):
        is_pending = order.state == State.PENDING
        yield Condition(
            key=f"order:{order.reference}:{'approval' if is_pending else 'attention'}",
            kind=AlertKind.ORDER_APPROVAL if is_pending else AlertKind.ORDER_ATTENTION,
            title=f"{order.name} ({order.reference}, {order.customer})",
            reason=order.reason,
            next_step=_("Check the plan and the price, then choose Approve on the order's page.")
            if is_pending
            else _("Fix the cause named above, then choose Try again on the order's page."),
            path=_page(order),
        )


def _unreachable_providers() -> Iterator[Condition]:
    since = clock.now() - SILENT_FOR
    failing = Observation.objects.exclude(error="").filter(created_at__lte=since).select_related("provider")
    failing = failing.exclude(seen_at__gt=since).order_by("provider", "pk")
    reported = set()
    for observation in failing:
        provider = observation.provider
        if provider.pk in reported:
            continue
        reported.add(provider.pk)
        yield Condition(
            key=f"provider:{provider.pk}:unreachable",
            kind=AlertKind.PROVIDER_UNREACHABLE,
            title=str(observation),
            reason=observation.error,
            next_step=_("Check its status and credentials, then choose Test the connection on the provider's page."),
            path=_page(provider),
        )


def _silent_backends() -> Iterator[Condition]:
    for backend in BackendStatus.objects.filter(failing_since__lt=clock.now() - SILENT_FOR):
        yield Condition(
            key=f"backend:{backend.backend}:silent",
            kind=AlertKind.BACKEND_SILENT,
            title=str(backend),
            reason=backend.last_error,
            next_step=_("Check that it is running and that its address and credentials are right; then test it."),
            path=_page(backend),
        )


def _drift() -> Iterator[Condition]:
    for finding in DriftFinding.objects.filter(state=DriftFinding.State.OPEN).select_related("provider"):
        difference = _("expected %(expected)s, found %(actual)s") % {
            "expected": finding.expected or "–",
            "actual": finding.actual or "–",
        }
        yield Condition(
            key=f"drift:{finding.pk}",
            kind=AlertKind.DRIFT_FOUND,
            title=f"{finding} ({finding.provider})",
            reason=f"{finding.get_aspect_display()}: {difference}",
            next_step=_("Open the finding and accept, adopt, rebuild or remove what was found."),
            path=_page(finding),
        )


def _failed_mail() -> Iterator[Condition]:
    # A mail to staff that failed would only raise the next one.
    for message in Message.objects.failed().exclude(customer=None).select_related("customer"):
        yield Condition(
            key=f"message:{message.pk}:{message.wanted_version}",
            kind=AlertKind.MAIL_FAILED,
            title=f"{message} ({message.customer})",
            reason=message.last_error,
            next_step=_("Correct the address or the mail server's settings, then choose Send again in the list."),
            path=_page(message),
        )


def _stopped_addresses() -> Iterator[Condition]:
    for address in MailAddress.objects.filter(stopped_at__isnull=False):
        yield Condition(
            key=f"address:{address.pk}:{address.stopped_at:%Y%m%d%H%M%S}",
            kind=AlertKind.MAIL_FAILED,
            title=str(address),
            reason=_("Mail to this address came back several times, so none is sent to it any more."),
            next_step=_("Ask the customer for an address that works, or choose Send mail again in the list."),
            path=_page(address),
        )


def _overdue_invoices() -> Iterator[Condition]:
    invoices = Invoice.objects.overdue(clock.today()).select_related("customer").order_by(F("due_on"), "pk")
    for invoice in invoices:
        total = Money(invoice.gross, invoice.currency).format(settings.LANGUAGE_CODE.split("-")[0])
        yield Condition(
            key=f"invoice:{invoice.pk}:overdue",
            kind=AlertKind.INVOICE_OVERDUE,
            title=f"{invoice.number} ({invoice.customer})",
            reason=_("%(total)s was due on %(day)s.") % {"total": total, "day": invoice.due_on.isoformat()},
            next_step=_("Check whether it was paid: mark it as paid, or contact the customer."),
            path=_page(invoice),
        )


def _page(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
