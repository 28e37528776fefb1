"""The history of availability: outages, data gaps and daily figures, kept longer than the backend keeps its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from core.failure_field import CheckFailureField
from core.outside.check_messages import failure_message
from monitoring.models.check import MonitorCheck
from monitoring.rules.availability import Figures, Span
from orders.models import Order


class IntervalQuerySet(models.QuerySet["Interval"]):
    """Sets of intervals."""

    def ongoing(self) -> Self:
        """Those without an end."""
        return self.filter(ended_at__isnull=True)

    def touching(self, period: Span) -> Self:
        """Those that may overlap `period`."""
        return self.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=period.start), started_at__lt=period.end)


class Interval(models.Model):
    """A period of one endpoint, by its check; without an end while it is ongoing."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="%(class)ss", verbose_name=_("order"))
    # An upgrade may delete the endpoint and its check; the history stays.
    monitor_check = models.ForeignKey(
        MonitorCheck,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="%(class)ss",
        verbose_name=_("check"),
    )
    application = models.CharField(_("application"), max_length=120)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cause = models.TextField(_("cause"), blank=True)

    objects = IntervalQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-started_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="%(class)s_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=("monitor_check",), condition=Q(ended_at__isnull=True), name="%(class)s_open_once_per_check"
            ),
        )
        indexes = (
            # Read by monitoring.history: intervals that overlap a period or are ongoing.
            models.Index(fields=("order", "ended_at"), name="%(class)s_of_order"),
        )

    def __str__(self) -> str:
        return f"{self.application} {date_format(localtime(self.started_at), 'DATETIME_FORMAT')}"

    @property
    def public_cause(self) -> str:
        """The cause in words for customers."""
        return self.cause

    def span(self, now: datetime) -> Span:
        """Start to end, or to `now` while it is ongoing."""
        return Span(self.started_at, self.ended_at or max(now, self.started_at))


class Outage(Interval):
    """An endpoint failed its check."""

    cause = CheckFailureField(_("cause"))

    class Meta(Interval.Meta):
        verbose_name = _("outage")
        verbose_name_plural = _("outages")

    @property
    def public_cause(self) -> str:
        """The failure in words for customers."""
        return failure_message(self.cause)

    @property
    def detail(self) -> str:
        """The technical text behind the failure, for staff."""
        return self.cause.detail if self.cause else ""


class DataGap(Interval):
    """No reading of an endpoint: its check was paused, or the backend gave none."""

    class Meta(Interval.Meta):
        verbose_name = _("data gap")
        verbose_name_plural = _("data gaps")


class DailyAvailabilityQuerySet(models.QuerySet["DailyAvailability"]):
    """Sets of daily figures."""

    def write(self, rows: Sequence[DailyAvailability], fields: Collection[str]) -> None:
        """Each row is inserted, or its `fields` are updated."""
        self.bulk_create(rows, update_conflicts=True, unique_fields=("order", "day"), update_fields=tuple(fields))


class DailyAvailability(models.Model):
    """The availability of an order on one day, in the company's time zone, and its response times."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="days", verbose_name=_("order"))
    day = models.DateField(_("day"))
    up = models.PositiveIntegerField(_("up (s)"), default=0)
    down = models.PositiveIntegerField(_("down (s)"), default=0)
    maintenance = models.PositiveIntegerField(_("maintenance (s)"), default=0)
    unknown = models.PositiveIntegerField(_("unknown (s)"), default=0)
    checks = models.PositiveIntegerField(_("readings"), default=0)
    answers = models.PositiveIntegerField(_("successful readings"), default=0)
    seconds_total = models.FloatField(_("total response time (s)"), default=0.0)
    seconds_max = models.FloatField(_("longest response time (s)"), default=0.0)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, help_text=_("Empty until the day is over."))

    objects = DailyAvailabilityQuerySet.as_manager()

    READING_FIELDS = ("checks", "answers", "seconds_total", "seconds_max")
    CLOSING_FIELDS = ("up", "down", "maintenance", "unknown", "closed_at")

    class Meta:
        verbose_name = _("daily availability")
        verbose_name_plural = _("daily availability")
        ordering = ("-day", "-pk")
        constraints = (models.UniqueConstraint(fields=("order", "day"), name="day_once_per_order"),)

    def __str__(self) -> str:
        return f"{self.order_id} {self.day}"

    @property
    def figures(self) -> Figures:
        """The seconds of the day by state; zero until the day is closed."""
        return Figures(up=self.up, down=self.down, maintenance=self.maintenance, unknown=self.unknown)

    @property
    def seconds_mean(self) -> float:
        """Mean response time."""
        return self.seconds_total / self.answers if self.answers else 0.0

    def add_reading(self, seconds: float | None) -> None:
        """Counts one more reading; `seconds` is its response time, or None after a failure."""
        self.checks += 1
        if seconds is not None:
            self.answers += 1
            self.seconds_total += seconds
            self.seconds_max = max(self.seconds_max, seconds)
