"""The check of one address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from core.outside.check_messages import in_words
from infrastructure.models import Endpoint
from monitoring.choices import CheckState
from monitoring.contracts.backend import Seen
from monitoring.models.monitor import Monitor
from monitoring.rules.debounce import Held, held_after

SAY_AGAIN = timedelta(hours=12)  # less than a day, after which workers ask for the certificate themselves


class MonitorCheckQuerySet(models.QuerySet["MonitorCheck"]):
    """Sets of checks."""

    def with_endpoints(self) -> Self:
        """Each with its endpoint."""
        # By a join: a prefetch across one-to-one joins its keys by OR, and SQLite refuses more than a thousand.
        return self.select_related("endpoint")

    def write_held(self, checks: Sequence[MonitorCheck]) -> None:
        """What is held of `checks`, which exist and are locked, is in the database.

        An upsert: Django's bulk_update makes one CASE per column and row, ten times slower from a thousand rows on.
        """
        self.bulk_create(checks, update_conflicts=True, unique_fields=("pk",), update_fields=self.model.HELD_FIELDS)


class MonitorCheck(Timestamped):
    """One address of an order, and what is held of it after damping."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="checks", verbose_name=_("monitor"))
    endpoint = models.OneToOneField(
        Endpoint, on_delete=models.CASCADE, related_name="monitor_check", verbose_name=_("endpoint")
    )
    state = models.CharField(_("state"), max_length=10, choices=CheckState.choices, default=CheckState.UNKNOWN)
    message = models.TextField(_("last result"), blank=True)
    seconds = models.FloatField(_("answered in (s)"), default=0.0)
    since = models.DateTimeField(_("since"), default=timezone.now)
    checked_at = models.DateTimeField(_("last reading"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    certificate_until = models.DateTimeField(_("certificate expires"), null=True, blank=True)
    certificate_checked_at = models.DateTimeField(_("certificate last seen"), null=True, blank=True)

    objects = MonitorCheckQuerySet.as_manager()

    HELD_FIELDS = (
        "state",
        "message",
        "seconds",
        "since",
        "checked_at",
        "failures",
        "certificate_until",
        "certificate_checked_at",
        "updated_at",
    )

    class Meta:
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        ordering = ("monitor", "pk")
        constraints = (models.CheckConstraint(condition=Q(state__in=CheckState.values), name="check_state_known"),)

    def __str__(self) -> str:
        return f"{self.endpoint_id}: {self.get_state_display()}"

    @property
    def held(self) -> Held:
        """What is held of the address, as a plain value."""
        return Held(
            state=CheckState(self.state),
            since=self.since,
            checked_at=self.checked_at,
            failures=self.failures,
            message=self.message,
            seconds=self.seconds,
        )

    @property
    def words(self) -> str:
        """The last result, as anybody may read it; its endpoint is loaded."""
        if self.state == CheckState.DOWN or self.failures:
            return in_words(self.message, max_seconds=self.endpoint.check_max_seconds)
        return self.message if self.state == CheckState.UP else ""

    def take_in(self, seen: Seen | None, *, now: datetime) -> bool:
        """The row, not yet saved, holds what follows from `seen`; true when anybody could tell the difference."""
        before = self.held
        after = held_after(before, seen, now=now)
        self.state, self.since, self.checked_at = after.state, after.since, after.checked_at
        self.failures, self.message, self.seconds = after.failures, after.message, after.seconds
        certificate_is_news = self._take_in_certificate(seen, now)
        if after.looks_like(before) and not certificate_is_news:
            return False
        self.updated_at = now
        return True

    def _take_in_certificate(self, seen: Seen | None, now: datetime) -> bool:
        """True when it is worth writing: another certificate, or the first word of it in half a day."""
        if seen is None or seen.certificate_until is None:
            return False
        fresh = self.certificate_checked_at and now - self.certificate_checked_at < SAY_AGAIN
        if fresh and self.certificate_until == seen.certificate_until:
            return False
        self.certificate_until, self.certificate_checked_at = seen.certificate_until, now
        return True
