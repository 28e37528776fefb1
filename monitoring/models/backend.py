"""What is read from the monitoring backend besides readings: status, problems, SLI, and what is to be backfilled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models import Timestamped
from monitoring.choices import Backend, Severity
from monitoring.models.check import MonitorCheck
from monitoring.models.monitor import Monitor
from monitoring.rules.availability import Figures
from orders.models import Order


class BackendStatusQuerySet(models.QuerySet["BackendStatus"]):
    """Sets of backend statuses."""

    def record(self, backend: str, error: str = "") -> None:
        """The row of `backend` holds the result of the last call; one query, except the first time."""
        now = clock.now()
        result = (
            {"last_error": error, "failing_since": Coalesce(F("failing_since"), now)}
            if error
            else {"last_success_at": now, "failing_since": None}
        )
        if not self.filter(backend=backend).update(**result):
            self.get_or_create(backend=backend)
            self.filter(backend=backend).update(**result)


class BackendStatus(Timestamped):
    """A monitoring backend: where it is, what the account may do there, and whether it answers."""

    backend = models.CharField(_("backend"), max_length=10, choices=Backend.choices, unique=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    test_report = models.TextField(_("test report"), blank=True)
    tested_at = models.DateTimeField(_("last test"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last answer"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    failing_since = models.DateTimeField(_("unreachable since"), null=True, blank=True)
    problems_read_at = models.DateTimeField(_("problems read"), null=True, blank=True)
    sli_read_at = models.DateTimeField(_("SLI read"), null=True, blank=True)
    history_read_until = models.DateTimeField(_("history checked up to"), null=True, blank=True)

    objects = BackendStatusQuerySet.as_manager()

    class Meta:
        verbose_name = _("monitoring backend")
        verbose_name_plural = _("monitoring backends")
        ordering = ("backend",)

    def __str__(self) -> str:
        return self.get_backend_display()


class ProblemQuerySet(models.QuerySet["Problem"]):
    """Sets of problems."""

    def write(self, rows: Sequence[Problem]) -> None:
        """Each problem is inserted or updated."""
        self.bulk_create(
            rows, update_conflicts=True, unique_fields=("monitor", "event_id"), update_fields=Problem.CONTENT_FIELDS
        )


class Problem(models.Model):
    """An active problem in the monitoring backend, as it words it; deleted once it is resolved there.

    Shown to staff only: incidents follow our own outages (docs/decisions).
    """

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="problems", verbose_name=_("monitor"))
    monitor_check = models.ForeignKey(
        MonitorCheck,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="problems",
        verbose_name=_("check"),
    )
    event_id = models.CharField(_("event ID"), max_length=40)
    name = models.CharField(_("problem"), max_length=500)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices)
    since = models.DateTimeField(_("since"))
    is_acknowledged = models.BooleanField(_("acknowledged"), default=False)
    is_suppressed = models.BooleanField(_("suppressed by maintenance"), default=False)

    objects = ProblemQuerySet.as_manager()

    CONTENT_FIELDS = ("monitor_check", "name", "severity", "since", "is_acknowledged", "is_suppressed")

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        ordering = ("-severity", "-since", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("monitor", "event_id"), name="problem_once_per_monitor"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="problem_severity_known"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def content(self) -> tuple[object, ...]:
        """The fields that may change."""
        return (
            self.monitor_check_id,
            self.name,
            self.severity,
            self.since,
            self.is_acknowledged,
            self.is_suppressed,
        )


class BackendSliQuerySet(models.QuerySet["BackendSli"]):
    """Sets of SLI rows."""

    def write(self, rows: Sequence[BackendSli]) -> None:
        """Each row is inserted or updated."""
        self.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=("order", "started_at"),
            update_fields=("ended_at", "uptime", "downtime", "read_at"),
        )


class BackendSli(models.Model):
    """The backend's own service level indicator of an order over one of its periods; shown for comparison only."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="backend_slis", verbose_name=_("order"))
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"))
    uptime = models.PositiveIntegerField(_("up (s)"))
    downtime = models.PositiveIntegerField(_("down (s)"))
    read_at = models.DateTimeField(_("read"))

    objects = BackendSliQuerySet.as_manager()

    class Meta:
        verbose_name = _("backend SLI")
        verbose_name_plural = _("backend SLIs")
        ordering = ("-started_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("order", "started_at"), name="sli_once_per_period"),)

    def __str__(self) -> str:
        return f"{self.order_id} {self.started_at:%Y-%m-%d}: {self.percentage} %"

    @property
    def percentage(self) -> Decimal | None:
        """Uptime as a share of the known time, truncated like our own figures."""
        return Figures(up=self.uptime, down=self.downtime).percentage


class BackfillRequestQuerySet(models.QuerySet["BackfillRequest"]):
    """Sets of backfill requests."""

    def ripe(self, now: datetime) -> Self:
        """Those that ended long enough ago for later readings to have arrived."""
        return self.filter(ended_at__lte=now - BackfillRequest.RIPENS)


class BackfillRequest(models.Model):
    """A period to be read again from the history of the monitoring backend; deleted once that is done."""

    RIPENS = timedelta(minutes=3)

    monitor_check = models.ForeignKey(
        MonitorCheck, on_delete=models.CASCADE, related_name="backfill_requests", verbose_name=_("check")
    )
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"))

    objects = BackfillRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("backfill request")
        verbose_name_plural = _("backfill requests")
        ordering = ("ended_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("monitor_check", "started_at"), name="backfill_once_per_check_and_start"),
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at")), name="backfill_ends_after_it_starts"),
        )

    def __str__(self) -> str:
        return f"{self.monitor_check_id} {self.started_at:%Y-%m-%d %H:%M}"
