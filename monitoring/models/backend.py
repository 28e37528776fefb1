"""What was brought in from whatever watches: its own words, beside what is held and measured here."""

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


class WatcherQuerySet(models.QuerySet["Watcher"]):
    """Sets of watchers."""

    def note(self, backend: str, error: str = "") -> None:
        """The row of `backend` says how asking it went just now; one query, but for the first time."""
        now = clock.now()
        went = (
            {"last_error": error, "failing_since": Coalesce(F("failing_since"), now)}
            if error
            else {"last_success_at": now, "failing_since": None}
        )
        if not self.filter(backend=backend).update(**went):
            self.get_or_create(backend=backend)
            self.filter(backend=backend).update(**went)


class Watcher(Timestamped):
    """Whoever watches: who that is, what it lets us do, and how asking it went."""

    backend = models.CharField(_("watched by"), max_length=10, choices=Backend.choices, unique=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    said = models.TextField(_("what it says of itself"), blank=True)
    tested_at = models.DateTimeField(_("tested"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last answer"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    failing_since = models.DateTimeField(_("not answering since"), null=True, blank=True)
    problems_read_at = models.DateTimeField(_("problems read"), null=True, blank=True)
    figures_read_at = models.DateTimeField(_("figures read"), null=True, blank=True)
    past_read_until = models.DateTimeField(_("past looked through until"), null=True, blank=True)

    objects = WatcherQuerySet.as_manager()

    class Meta:
        verbose_name = _("watcher")
        verbose_name_plural = _("watchers")
        ordering = ("backend",)

    def __str__(self) -> str:
        return self.get_backend_display()


class ProblemQuerySet(models.QuerySet["Problem"]):
    """Sets of problems."""

    def write(self, rows: Sequence[Problem]) -> None:
        """These problems are in the database, whether their rows were there or not."""
        self.bulk_create(
            rows, update_conflicts=True, unique_fields=("monitor", "event_id"), update_fields=Problem.TOLD_FIELDS
        )


class Problem(models.Model):
    """Something that whoever watches calls wrong now, in its own words; gone as soon as it is over."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="problems", verbose_name=_("monitor"))
    monitor_check = models.ForeignKey(
        MonitorCheck,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="problems",
        verbose_name=_("check"),
    )
    event_id = models.CharField(_("event outside"), max_length=40)
    name = models.CharField(_("problem"), max_length=500)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices)
    since = models.DateTimeField(_("since"))
    is_acknowledged = models.BooleanField(_("acknowledged"), default=False)
    is_suppressed = models.BooleanField(_("suppressed by maintenance"), default=False)

    objects = ProblemQuerySet.as_manager()

    TOLD_FIELDS = ("monitor_check", "name", "severity", "since", "is_acknowledged", "is_suppressed")

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
    def told(self) -> tuple[object, ...]:
        """Everything that may change of it."""
        return (
            self.monitor_check_id,
            self.name,
            self.severity,
            self.since,
            self.is_acknowledged,
            self.is_suppressed,
        )


class WatchFigureQuerySet(models.QuerySet["WatchFigure"]):
    """Sets of figures."""

    def write(self, rows: Sequence[WatchFigure]) -> None:
        """These figures are in the database, whether their rows were there or not."""
        self.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=("order", "started_at"),
            update_fields=("ended_at", "uptime", "downtime", "read_at"),
        )


class WatchFigure(models.Model):
    """What whoever watches says of one order over one of its own periods; never used to reckon, only to compare."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="watch_figures", verbose_name=_("order"))
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"))
    uptime = models.PositiveIntegerField(_("up (s)"))
    downtime = models.PositiveIntegerField(_("down (s)"))
    read_at = models.DateTimeField(_("read"))

    objects = WatchFigureQuerySet.as_manager()

    class Meta:
        verbose_name = _("figure of the watcher")
        verbose_name_plural = _("figures of the watcher")
        ordering = ("-started_at", "-pk")
        constraints = (models.UniqueConstraint(fields=("order", "started_at"), name="figure_once_per_period"),)

    def __str__(self) -> str:
        return f"{self.order_id} {self.started_at:%Y-%m-%d}: {self.percentage} %"

    @property
    def percentage(self) -> Decimal | None:
        """Up, as a share of what it knows; cut as our own figures are."""
        return Figures(up=self.uptime, down=self.downtime).percentage


class GapQuerySet(models.QuerySet["Gap"]):
    """Sets of gaps."""

    def ripe(self, now: datetime) -> Self:
        """Those that ended long enough ago for the readings after them to be in."""
        return self.filter(ended_at__lte=now - Gap.RIPENS)


class Gap(models.Model):
    """A time of which the readings tell too little, though whoever watches knows it; gone once it has been told."""

    RIPENS = timedelta(minutes=3)

    monitor_check = models.ForeignKey(
        MonitorCheck, on_delete=models.CASCADE, related_name="gaps", verbose_name=_("check")
    )
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"))

    objects = GapQuerySet.as_manager()

    class Meta:
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")
        ordering = ("ended_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("monitor_check", "started_at"), name="gap_once_per_check_and_start"),
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at")), name="gap_ends_after_it_starts"),
        )

    def __str__(self) -> str:
        return f"{self.monitor_check_id} {self.started_at:%Y-%m-%d %H:%M}"
