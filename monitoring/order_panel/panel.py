"""What monitoring shows on the page of an order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.admin.read_only_rows import when
from monitoring.models import BackendStatus, Incident, Maintenance, Monitor, MonitorCheck, StatusPage
from monitoring.order_panel.figures import expiry_of, links_into_zabbix, promise_comparisons
from monitoring.status_pages.display import order_summaries
from orders.choices import Part, Wanted
from orders.models import Order
from orders.order_panels import Fact, OrderPanel, OrderPanels, PartRow, part_row


class MonitoringPanels(OrderPanels):
    """The monitoring of an order."""

    name: ClassVar[str] = "monitoring"

    def part_rows(self, order: Order) -> Iterable[PartRow]:
        """The monitor."""
        if (monitor := Monitor.objects.filter(order=order).first()) is not None:
            yield part_row(Part.MONITORING, monitor, monitor.get_backend_display())

    def panels(self, order: Order) -> Iterable[OrderPanel]:
        """Availability, SLA, incidents, maintenance, problems, and the state of every check."""
        running = Monitor.objects.filter(order=order).exclude(wanted=Wanted.REMOVED).select_related("order")
        monitor = running.prefetch_related(Prefetch("checks", MonitorCheck.objects.with_endpoints())).first()
        if monitor is None:
            return
        now = clock.now()
        checks = [
            (check, when(check.since), when(check.checked_at), expiry_of(check.certificate_until, now=now))
            for check in monitor.checks.all()
        ]
        if checks:
            (summary,) = order_summaries([monitor])
            values = {
                "checks": checks,
                "has_certificates": any(expiry for *_rest, expiry in checks),
                "problems": [(problem, when(problem.since)) for problem in monitor.problems.all()],
                "comparisons": promise_comparisons(order),
                "incidents": Incident.objects.ongoing_for(order),
                "windows": Maintenance.objects.unfinished_at(now).filter(orders=order).order_by("starts_at", "pk"),
                "backend_error": _backend_error(monitor),
                "summary": summary,
                "links": [*_links(order), *links_into_zabbix(monitor)],
            }
            yield OrderPanel(title=_("Availability"), template="admin/monitoring/_availability.html", values=values)

    def plan(self, order: Order) -> Iterable[Fact]:
        """The number of endpoints to monitor."""
        count = len(order.release.endpoints)
        text = ngettext("%(count)d endpoint is monitored", "%(count)d endpoints are monitored", count)
        yield Fact(label=_("Monitoring"), value=text % {"count": count})

    def would_destroy(self, order: Order) -> Iterable[str]:
        """The monitor, if there is one."""
        if Monitor.objects.filter(order=order).exclude(wanted=Wanted.REMOVED).exists():
            yield _("Its monitoring ends; its history is kept.")


def _backend_error(monitor: Monitor) -> str:
    """Since when the monitoring backend does not answer, and so how old the state may be."""
    row = BackendStatus.objects.filter(backend=monitor.backend, failing_since__isnull=False).first()
    if row is None:
        return ""
    since = timezone.localtime(row.failing_since)
    values = {"time": date_format(since, "DATETIME_FORMAT"), "error": row.last_error}
    return _("Unreachable since %(time)s: %(error)s") % values


def _links(order: Order) -> Iterable[tuple[str, str]]:
    """Links to its history and to the customer's status page."""
    search = f"?q={order.reference}"
    yield f"{reverse('admin:monitoring_outage_changelist')}{search}", _("Outages")
    yield f"{reverse('admin:monitoring_incident_changelist')}{search}", _("Incidents")
    if (page := StatusPage.objects.filter(customer=order.customer_id).first()) is not None and page.url:
        yield page.url, _("Status page")
