"""What was measured: outages, silences and days, kept when whoever watches has long forgotten them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from core.outside.check_messages import in_words
from monitoring.models.check import MonitorCheck
from monitoring.rules.availability import Figures, Span
from orders.models import Order


class StretchQuerySet(models.QuerySet["Stretch"]):
    """Sets of stretches."""

    def going_on(self) -> Self:
        """Those that have not ended."""
        return self.filter(ended_at__isnull=True)

    def touching(self, period: Span) -> Self:
        """Those of which some part may lie in `period`."""
        return self.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=period.start), started_at__lt=period.end)


class Stretch(models.Model):
    """From one moment to another, something was so of one address; without an end, it still is."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="%(class)ss", verbose_name=_("order"))
    # The address may go with an upgrade; what happened to it stays.
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

    objects = StretchQuerySet.as_manager()

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
            # Read by monitoring.history.measurement and monitoring.history: what touches a period, or still goes on.
            models.Index(fields=("order", "ended_at"), name="%(class)s_of_order"),
        )

    def __str__(self) -> str:
        return f"{self.application} {date_format(localtime(self.started_at), 'DATETIME_FORMAT')}"

    @property
    def words(self) -> str:
        """The cause, as anybody may read it."""
        return self.cause

    def span(self, now: datetime) -> Span:
        """The time it takes in; up to `now` while it goes on."""
        return Span(self.started_at, self.ended_at or max(now, self.started_at))


class Outage(Stretch):
    """An address broke its promise."""

    class Meta(Stretch.Meta):
        verbose_name = _("outage")
        verbose_name_plural = _("outages")

    @property
    def words(self) -> str:
        """What was read, in words for people."""
        return in_words(self.cause)


class Silence(Stretch):
    """Nobody could tell how an address was doing: not read, or paused."""

    class Meta(Stretch.Meta):
        verbose_name = _("silence")
        verbose_name_plural = _("silences")


class DailyAvailabilityQuerySet(models.QuerySet["DailyAvailability"]):
    """Sets of days."""

    def write(self, rows: Sequence[DailyAvailability], fields: Collection[str]) -> None:
        """`fields` of these days are in the database, whether their rows were there or not."""
        self.bulk_create(rows, update_conflicts=True, unique_fields=("order", "day"), update_fields=tuple(fields))


class DailyAvailability(models.Model):
    """One day of one order, by the company's calendar: every second of it, and how quickly its addresses answered."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="days", verbose_name=_("order"))
    day = models.DateField(_("day"))
    up = models.PositiveIntegerField(_("up (s)"), default=0)
    down = models.PositiveIntegerField(_("down (s)"), default=0)
    maintenance = models.PositiveIntegerField(_("maintenance (s)"), default=0)
    unknown = models.PositiveIntegerField(_("unknown (s)"), default=0)
    checks = models.PositiveIntegerField(_("readings"), default=0)
    answers = models.PositiveIntegerField(_("answers"), default=0)
    seconds_total = models.FloatField(_("all answers took (s)"), default=0.0)
    seconds_max = models.FloatField(_("longest answer (s)"), default=0.0)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, help_text=_("Empty until the day is over."))

    objects = DailyAvailabilityQuerySet.as_manager()

    READING_FIELDS = ("checks", "answers", "seconds_total", "seconds_max")
    CLOSING_FIELDS = ("up", "down", "maintenance", "unknown", "closed_at")

    class Meta:
        verbose_name = _("day of availability")
        verbose_name_plural = _("days of availability")
        ordering = ("-day", "-pk")
        constraints = (models.UniqueConstraint(fields=("order", "day"), name="day_once_per_order"),)

    def __str__(self) -> str:
        return f"{self.order_id} {self.day}"

    @property
    def figures(self) -> Figures:
        """The day taken apart; all nothing until it is closed."""
        return Figures(up=self.up, down=self.down, maintenance=self.maintenance, unknown=self.unknown)

    @property
    def seconds_mean(self) -> float:
        """How long an answer took."""
        return self.seconds_total / self.answers if self.answers else 0.0

    def take_in(self, seconds: float | None) -> None:
        """One more reading; `seconds` when it was answered."""
        self.checks += 1
        if seconds is not None:
            self.answers += 1
            self.seconds_total += seconds
            self.seconds_max = max(self.seconds_max, seconds)
