"""What this room shows of an order on the order's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from live.lib.machine_owned import when
from monitoring.board import boards_of
from monitoring.models import Monitor, MonitorCheck, StatusPage
from orders.models import Order
from orders.sections import Fact, PartRow, Section, Sections, part_row
from orders.words import Part, Wanted


class MonitoringSections(Sections):
    """What is watched of an order, and how it is doing."""

    name: ClassVar[str] = "monitoring"

    def part_rows(self, order: Order) -> Iterable[PartRow]:
        """The monitor."""
        if (monitor := Monitor.objects.filter(order=order).first()) is not None:
            yield part_row(Part.MONITORING, monitor, monitor.get_backend_display())

    def sections(self, order: Order) -> Iterable[Section]:
        """Ninety days, response times, and every check as it stands."""
        running = Monitor.objects.filter(order=order).exclude(wanted=Wanted.REMOVED).select_related("order")
        monitor = running.prefetch_related(Prefetch("checks", MonitorCheck.objects.with_endpoints())).first()
        if monitor is None:
            return
        checks = [(check, when(check.since), when(check.checked_at)) for check in monitor.checks.all()]
        if checks:
            (board,) = boards_of([monitor])
            values = {"checks": checks, "board": board, "links": list(_links(order))}
            yield Section(title=_("Availability"), template="admin/monitoring/_availability.html", values=values)

    def plan(self, order: Order) -> Iterable[Fact]:
        """How much would be watched."""
        count = len(order.release.endpoints)
        words = ngettext("%(count)d address is watched", "%(count)d addresses are watched", count)
        yield Fact(label=_("Monitoring"), value=words % {"count": count})

    def would_destroy(self, order: Order) -> Iterable[str]:
        """The monitor, where there is one."""
        if Monitor.objects.filter(order=order).exclude(wanted=Wanted.REMOVED).exists():
            yield _("Its monitoring ends; what was measured is kept.")


def _links(order: Order) -> Iterable[tuple[str, str]]:
    """Where more is told, and where the customer reads it."""
    search = f"?q={order.reference}"
    yield f"{reverse('admin:monitoring_outage_changelist')}{search}", _("Outages")
    yield f"{reverse('admin:monitoring_incident_changelist')}{search}", _("Incidents")
    if (page := StatusPage.objects.filter(customer=order.customer_id).first()) is not None and page.url:
        yield page.url, _("Status page")
