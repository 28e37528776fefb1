"""What staff see first: orders that need attention or are in progress, trends, outstanding invoices, and workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Model, Q, Sum
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.models import Invoice
from billing.reports.services import owed_by_age
from core import clock
from core.admin.read_only_rows import when
from core.engine.controller import controllers
from core.engine.queue import read_queue
from core.money import Money
from customers.models import Customer
from infrastructure.models import Provider, Server
from live.staff.trends import trends
from monitoring.models import BackendStatus, DailyAvailability
from orders import display as order_display
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderEvent
from products.models import Product

SHOWN = 8
EVENTS = 12
STALE = timedelta(minutes=3)
IN_PROGRESS = (State.PROVISIONING, State.REMOVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDot:
    """The progress of one component of an order."""

    label: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardRow:
    """One item of a card: what it is, why it is listed, and the action that is offered."""

    title: str
    url: str
    reason: str
    label: str = ""
    tone: str = ""
    under: str = ""
    is_sandbox: bool = False
    dots: tuple[PartDot, ...] = ()
    step: str = ""
    step_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The first rows of a list, their total number, and a link to all of them."""

    lines: list[DashboardRow]
    count: int
    url: str

    @property
    def more(self) -> int:
        """How many are not shown."""
        return max(0, self.count - len(self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its label and a link to its list."""

    label: str
    value: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """Unpaid invoices: a sum for each currency."""

    amounts: list[str]
    invoices: int
    overdue: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHealth:
    """The state of queue and workers; `warning` is empty while all is well."""

    warning: str
    waiting: int
    swept: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Everything on the first page, in a fixed number of queries; only what the person may see."""
    context["health"] = health_of_queue()
    context["is_sandbox_only"] = is_sandbox_only()
    context["broken"] = broken_rows(request)
    if request.user.has_perm("orders.view_order"):
        counts = Order.objects.count_by_state()
        context["attention"] = orders_needing_attention(request)
        context["attention_count"] = context["attention"].count + len(context["broken"])
        context["moving"] = orders_in_progress(counts)
        context["down"] = degraded_orders(counts)
        context["events"] = recent_events()
        context["figures"] = figures(request, counts)
        context["trends"] = trends(sees_availability=_may_view(request, DailyAvailability))
    if _may_view(request, Invoice):
        context["outstanding"] = outstanding_invoices()
        context["owed"] = owed_by_age(clock.today())
    return context


def is_sandbox_only() -> bool:
    """True when every provider that takes new orders is a sandbox."""
    kinds = set(Provider.objects.filter(is_enabled=True).order_by().values_list("kind", flat=True).distinct())
    return kinds == {Provider.Kind.SANDBOX}


def orders_needing_attention(request: HttpRequest) -> Card:
    """Orders to approve or to fix, each with its reason; degraded orders have a card of their own."""
    orders = Order.objects.needing_attention().exclude(state=State.DEGRADED)
    lines = [_line(order, **_step(request, order)) for order in orders.with_names()[:SHOWN]]
    return Card(lines=lines, count=orders.count(), url=_orders("attention=yes"))


def orders_in_progress(counts: Mapping[str, int]) -> Card:
    """Orders being set up or removed, with the progress of each component."""
    orders = Order.objects.filter(state__in=IN_PROGRESS).with_names().prefetch_related("parts")
    lines = [_line(order, dots=_dots(order)) for order in orders[:SHOWN]]
    return Card(lines=lines, count=sum(counts.get(state, 0) for state in IN_PROGRESS), url=_orders("attention=moving"))


def degraded_orders(counts: Mapping[str, int]) -> Card:
    """Active orders of which an endpoint is down."""
    orders = Order.objects.filter(state=State.DEGRADED).with_names()
    lines = [_line(order) for order in orders[:SHOWN]]
    return Card(lines=lines, count=counts.get(State.DEGRADED, 0), url=_orders("state__exact=degraded"))


def broken_rows(request: HttpRequest) -> list[DashboardRow]:
    """Failures that belong to no order: mails, catalogue syncs, and monitoring backends that do not respond."""
    lines: list[DashboardRow] = []
    for model in (controller.model for controller in controllers()):
        if _may_view(request, model) and not hasattr(model, "order"):
            lines += [_of_row(row, row.last_error) for row in model._default_manager.failed()[:SHOWN]]
    if _may_view(request, BackendStatus):
        silent = BackendStatus.objects.filter(failing_since__lt=clock.now() - STALE)
        lines += [_of_row(row, row.last_error) for row in silent]
    if _may_view(request, Product):
        lines += [_of_row(row, row.import_error) for row in Product.objects.exclude(import_error="")[:SHOWN]]
    return lines


def outstanding_invoices() -> Outstanding:
    """The sum of unpaid invoices by currency; specimens do not count."""
    late = Count("pk", filter=Q(due_on__lt=clock.today()))
    rows = Invoice.objects.owed().order_by("currency").values("currency")
    sums = list(rows.annotate(sum=Sum(F("gross") - F("settled")), count=Count("pk"), late=late))
    locale = get_language() or "en"
    return Outstanding(
        amounts=[Money(row["sum"], row["currency"]).format(locale) for row in sums],
        invoices=sum(row["count"] for row in sums),
        overdue=sum(row["late"] for row in sums),
        url=_list(Invoice, "state__exact=open&is_specimen__exact=0"),
    )


def recent_events() -> Iterable[OrderEvent]:
    """The latest events of all orders."""
    events = list(OrderEvent.objects.select_related("order__customer", "actor").order_by("-pk")[:EVENTS])
    for event in events:
        event.tone = (order_display.OF_PART if event.part else order_display.OF_STATE).get(event.state, "")  # type: ignore[attr-defined]
        event.since = when(event.at)  # type: ignore[attr-defined]
    return events


def figures(request: HttpRequest, counts: Mapping[str, int]) -> list[Figure]:
    """At a glance."""
    found = [
        Figure(label=_("Active orders"), value=counts.get(State.ACTIVE, 0), url=_orders("state__exact=active")),
        Figure(label=_("Suspended"), value=counts.get(State.SUSPENDED, 0), url=_orders("state__exact=suspended")),
        Figure(label=_("Outdated"), value=Order.objects.outdated().count(), url=_orders("release=outdated")),
        Figure(label=_("Drafts"), value=counts.get(State.DRAFT, 0), url=_orders("state__exact=draft")),
    ]
    if _may_view(request, Customer):
        active = Customer.objects.filter(state=Customer.State.ACTIVE).count()
        found.append(Figure(label=_("Customers"), value=active, url=_list(Customer, "state__exact=active")))
    if _may_view(request, Server):
        servers = Server.objects.exclude(wanted=Wanted.REMOVED).count()
        found.append(Figure(label=_("Servers"), value=servers, url=_list(Server)))
    return found


def health_of_queue() -> QueueHealth:
    """What workers did last, with a warning when no sweep has finished for three minutes."""
    queue, warning = read_queue(), ""
    if queue.swept_at is None:
        warning = _(
            "No worker has finished a sweep yet; the first one takes up to a minute. "
            "If none is running, start one with manage.py worker: orders wait until then."
        )
    elif clock.now() - queue.swept_at > STALE:
        warning = _(
            "No worker has finished a sweep since %(when)s, so orders do not progress. Check that a worker is running."
        ) % {"when": when(queue.swept_at)}
    elif queue.error:
        warning = _("The last sweep had errors: %(error)s") % {"error": queue.error}
    return QueueHealth(warning=warning, waiting=queue.waiting, swept=when(queue.swept_at))


def _line(order: Order, **more: Any) -> DashboardRow:
    return DashboardRow(
        title=order.name,
        url=reverse("admin:orders_order_change", args=(order.pk,)),
        label=order.state_label,
        tone=order_display.tone_of(order),
        reason=order.reason,
        under=f"{order.reference} · {order.customer} · {order.release.product.name}",
        is_sandbox=order.is_sandbox,
        **more,
    )


def _step(request: HttpRequest, order: Order) -> dict[str, str]:
    """The action that this person may take on the order."""
    pending = order.state == State.PENDING
    if not request.user.has_perm("orders.approve_order" if pending else "orders.steer_order"):
        return {}
    name, label = ("approve", _("Approve")) if pending else ("retry", _("Try again"))
    return {"step": label, "step_url": reverse(f"admin:orders_order_{name}", args=(order.pk,))}


LOOKS = {
    PartState.WORKING: "working",
    PartState.READY: "done",
    PartState.DOWN: "failed",
    PartState.MAINTENANCE: "done",
    PartState.SUSPENDED: "done",
    PartState.REMOVED: "done",
    PartState.FAILED: "failed",
}


def _dots(order: Order) -> tuple[PartDot, ...]:
    """The progress of each component towards what is wanted now; on removal only what is gone counts as done."""
    reports = {part.part: part for part in order.parts.all()}
    return tuple(PartDot(label=str(part.label), look=_look(order, reports.get(part))) for part in Part)


def _look(order: Order, part: Any) -> str:
    if part is None:
        return "done" if order.wanted == Wanted.REMOVED else "waiting"
    if order.wanted == Wanted.REMOVED:
        return "done" if part.state == PartState.REMOVED else "working"
    return LOOKS[part.state] if part.version == order.wanted_version else "waiting"


def _of_row(row: Model, reason: str) -> DashboardRow:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    try:
        url = reverse(name, args=(row.pk,))
    except NoReverseMatch:  # a room may keep such rows out of the admin
        url = ""
    return DashboardRow(title=str(row), url=url, reason=reason, under=str(row._meta.verbose_name).capitalize())


def _may_view(request: HttpRequest, model: type[Model]) -> bool:
    return request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")


def _orders(query: str) -> str:
    return _list(Order, query)


def _list(model: type[Model], query: str = "") -> str:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{query}" if query else address
