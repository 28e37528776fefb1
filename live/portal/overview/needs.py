"""What a member has to do or to know at this moment, over all of his or her customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Prefetch, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.models import Invoice
from core import clock
from core.money import Money
from customers.choices import Ability
from customers.models import Customer, MailAddress, User
from monitoring.models import Incident, IncidentOrder, Maintenance
from orders.choices import State, Wanted
from orders.models import Order

OF_EACH_KIND = 4
MAINTENANCE_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One line of the overview; `tone` is the style sheet's, `action` what the link does."""

    title: str
    detail: str
    url: str
    action: str
    tone: str


def needs_of(user: User) -> list[Need]:
    """The most pressing first, a few of each kind, in a fixed number of queries; none for staff, who have the admin."""
    if user.is_staff:
        return []
    return [
        *_incidents(user),
        *_invoices(user),
        *_missing_addresses(user),
        *_stopped_mail(user),
        *_drafts(user),
        *_removals(user),
        *_maintenance(user),
    ]


def _incidents(user: User) -> Iterator[Need]:
    own = IncidentOrder.objects.filter(order__customer__memberships__user=user, recovered_at__isnull=True)
    affected = Prefetch("affected", own.select_related("order").order_by("order__name"), to_attr="own_orders")
    rows = Incident.objects.ongoing().filter(pk__in=own.values("incident")).prefetch_related(affected)
    for incident in rows.order_by("-started_at")[:OF_EACH_KIND]:
        orders = [row.order for row in incident.own_orders]  # type: ignore[attr-defined]  # by to_attr
        yield Need(
            title=incident.title,
            detail=", ".join(order.name for order in orders),
            url=reverse("portal:order", args=(orders[0].reference,)),
            action=_("Follow"),
            tone="warn",
        )


def _invoices(user: User) -> Iterator[Need]:
    today = clock.today()
    for invoice in Invoice.objects.visible_to(user).owed().order_by("due_on", "pk")[:OF_EACH_KIND]:
        late = invoice.due_on < today
        texts = {
            "number": invoice.number,
            "amount": Money(invoice.outstanding, invoice.currency).format(get_language() or "en"),
            "day": date_format(invoice.due_on, "j F Y"),
        }
        title = _("Invoice %(number)s is overdue") if late else _("Invoice %(number)s is open")
        yield Need(
            title=title % texts,
            detail=(_("%(amount)s, due since %(day)s") if late else _("%(amount)s, due on %(day)s")) % texts,
            url=reverse("portal:invoices"),
            action=_("How to pay"),
            tone="bad" if late else "wait",
        )


def _missing_addresses(user: User) -> Iterator[Need]:
    """Without an address no order can be placed: its country decides on VAT."""
    customers = Customer.objects.where_may(user, Ability.ORDER).filter(addresses=None, state=Customer.State.ACTIVE)
    for customer in customers.order_by("name", "pk")[:OF_EACH_KIND]:
        yield Need(
            title=_("The address of %(customer)s is missing") % {"customer": customer},
            detail=_("Send it to us: orders can be placed once we know where invoices go."),
            url=reverse("portal:customer", args=(customer.number,)),
            action=_("Open"),
            tone="wait",
        )


def _stopped_mail(user: User) -> Iterator[Need]:
    """To the addresses of customers and their members that no mail is sent to any more."""
    stopped = MailAddress.objects.filter(stopped_at__isnull=False)
    lowered = stopped.values(lowered=Lower("address"))
    customers = Customer.objects.where_may(user, Ability.MANAGE_TEAM).alias(
        own=Lower("email"), contact=Lower("contacts__email"), member=Lower("memberships__user__email")
    )
    found = customers.filter(Q(own__in=lowered) | Q(contact__in=lowered) | Q(member__in=lowered))
    for customer in found.order_by("name", "pk").distinct()[:OF_EACH_KIND]:
        yield Need(
            title=_("E-mail to %(customer)s does not arrive") % {"customer": customer},
            detail=_("Mail came back several times, so we stopped sending it to an address."),
            url=reverse("portal:team", args=(customer.number,)),
            action=_("Open"),
            tone="warn",
        )


def _drafts(user: User) -> Iterator[Need]:
    customers = Customer.objects.where_may(user, Ability.ORDER)
    for order in Order.objects.filter(customer__in=customers, state=State.DRAFT).order_by("-pk")[:OF_EACH_KIND]:
        yield Need(
            title=_("“%(name)s” is a draft") % {"name": order.name},
            detail=_("Nothing has been started yet. Review it and place the order."),
            url=reverse("portal:order", args=(order.reference,)),
            action=_("Review"),
            tone="wait",
        )


def _removals(user: User) -> Iterator[Need]:
    ending = Order.objects.visible_to(user).filter(removal_on__isnull=False).exclude(wanted=Wanted.REMOVED)
    for order in ending.order_by("removal_on", "pk")[:OF_EACH_KIND]:
        day: Any = order.removal_on
        texts = {"name": order.name, "day": date_format(day, "j F Y")}
        yield Need(
            title=_("“%(name)s” ends on %(day)s") % texts,
            detail=_("All its data will be deleted. Save what you want to keep."),
            url=reverse("portal:order", args=(order.reference,)),
            action=_("Open"),
            tone="warn",
        )


def _maintenance(user: User) -> Iterator[Need]:
    now = clock.now()
    orders = Order.objects.visible_to(user).order_by("name")
    rows = Maintenance.objects.unfinished_at(now).filter(
        starts_at__lt=now + MAINTENANCE_AHEAD, orders__customer__memberships__user=user
    )
    own = Prefetch("orders", orders, to_attr="own_orders")
    for window in rows.distinct().order_by("starts_at", "pk").prefetch_related(own)[:OF_EACH_KIND]:
        own_orders: list[Order] = window.own_orders  # type: ignore[attr-defined]  # by to_attr
        yield Need(
            title=_("Maintenance: %(title)s") % {"title": window.title},
            detail=f"{date_format(timezone.localtime(window.starts_at), 'DATETIME_FORMAT')} · "
            + ", ".join(order.name for order in own_orders),
            url=reverse("portal:order", args=(own_orders[0].reference,)),
            action=_("Open"),
            tone="busy",
        )
