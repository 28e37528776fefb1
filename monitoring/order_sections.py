"""What this room shows of an order on the order's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from live.lib.machine_owned import when
from monitoring.models import Monitor
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
        """Every check as it stands."""
        monitor = Monitor.objects.filter(order=order).first()
        if monitor is None or monitor.wanted == Wanted.REMOVED:
            return
        checks = [
            (check, when(check.since), when(check.checked_at)) for check in monitor.checks.select_related("endpoint")
        ]
        if checks:
            values = {"checks": checks}
            yield Section(title=_("Availability"), template="admin/monitoring/_checks.html", values=values)

    def plan(self, order: Order) -> Iterable[Fact]:
        """How much would be watched."""
        count = len(order.release.endpoints)
        words = ngettext("%(count)d address is watched", "%(count)d addresses are watched", count)
        yield Fact(label=_("Monitoring"), value=words % {"count": count})

    def would_destroy(self, order: Order) -> Iterable[str]:
        """The monitor, where there is one."""
        if Monitor.objects.filter(order=order).exclude(wanted=Wanted.REMOVED).exists():
            yield _("Its monitoring ends, and what it measured goes with it.")
