"""The check of one endpoint."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.failure_field import CheckFailureField
from core.models import Timestamped
from core.outside.check_messages import failure_message, success_message
from infrastructure.models import Endpoint
from monitoring.choices import CheckState
from monitoring.contracts.backend import Reading
from monitoring.models.monitor import Monitor
from monitoring.rules.debounce import CheckStatus, status_after

RECONFIRM = timedelta(hours=12)  # less than the day after which a worker reads the certificate itself


class MonitorCheckQuerySet(models.QuerySet["MonitorCheck"]):
    """Sets of checks."""

    def with_endpoints(self) -> Self:
        """Each with its endpoint, by a join."""
        # A prefetch across a one-to-one joins its keys by OR, and SQLite refuses more than a thousand.
        return self.select_related("endpoint")

    def with_applications(self) -> Self:
        """Each with what a reading and a report name of its endpoint."""
        named = ("name", "application", "check_status", "check_max_seconds")
        own = (field.name for field in self.model._meta.concrete_fields)
        return self.with_endpoints().only(*own, *(f"endpoint__{name}" for name in named))

    def count_by_order(self, orders: Collection[int]) -> dict[int, int]:
        """The number of checks of each of `orders`."""
        rows = self.filter(monitor__order__in=orders).order_by()
        return dict(rows.values_list("monitor__order").annotate(count=Count("pk")))

    def write_status(self, checks: Sequence[MonitorCheck]) -> None:
        """Saves the status of `checks`, which exist and are locked.

        An upsert: Django's bulk_update makes one CASE per column and row, ten times slower from a thousand rows on.
        """
        self.bulk_create(checks, update_conflicts=True, unique_fields=("pk",), update_fields=self.model.STATUS_FIELDS)


class MonitorCheck(Timestamped):
    """The check of an endpoint, and its state after debouncing."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="checks", verbose_name=_("monitor"))
    endpoint = models.OneToOneField(
        Endpoint, on_delete=models.CASCADE, related_name="monitor_check", verbose_name=_("endpoint")
    )
    state = models.CharField(_("state"), max_length=10, choices=CheckState.choices, default=CheckState.UNKNOWN)
    failure = CheckFailureField(_("failure"))
    seconds = models.FloatField(_("response time (s)"), default=0.0)
    since = models.DateTimeField(_("since"), default=timezone.now)
    checked_at = models.DateTimeField(_("last reading"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("consecutive failures"), default=0)
    certificate_until = models.DateTimeField(_("certificate expires"), null=True, blank=True)
    certificate_checked_at = models.DateTimeField(_("certificate checked"), null=True, blank=True)

    objects = MonitorCheckQuerySet.as_manager()

    STATUS_FIELDS = (
        "state",
        "failure",
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
    def status(self) -> CheckStatus:
        """The state as a plain value."""
        return CheckStatus(
            state=CheckState(self.state),
            since=self.since,
            checked_at=self.checked_at,
            failures=self.failures,
            failure=self.failure,
            seconds=self.seconds,
        )

    @property
    def public_message(self) -> str:
        """The last result in words for customers; the endpoint must be loaded."""
        if self.state == CheckState.DOWN or self.failures:
            return failure_message(self.failure, max_seconds=self.endpoint.check_max_seconds)
        return success_message(self.endpoint.check_status) if self.state == CheckState.UP else ""

    @property
    def detail(self) -> str:
        """The technical text behind the last failure, for staff."""
        return self.failure.detail if self.failure else ""

    def apply_reading(self, reading: Reading | None, *, now: datetime) -> bool:
        """Sets the state that follows from `reading`, without saving; returns whether a visible value changed."""
        before = self.status
        after = status_after(before, reading, now=now)
        self.state, self.since, self.checked_at = after.state, after.since, after.checked_at
        self.failures, self.failure, self.seconds = after.failures, after.failure, after.seconds
        certificate_changed = self._apply_certificate(reading, now)
        if after.looks_like(before) and not certificate_changed:
            return False
        self.updated_at = now
        return True

    def _apply_certificate(self, reading: Reading | None, now: datetime) -> bool:
        """True when it must be saved: another certificate, or the first confirmation in half a day."""
        if reading is None or reading.certificate_until is None:
            return False
        fresh = self.certificate_checked_at and now - self.certificate_checked_at < RECONFIRM
        if fresh and self.certificate_until == reading.certificate_until:
            return False
        self.certificate_until, self.certificate_checked_at = reading.certificate_until, now
        return True
