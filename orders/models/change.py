"""A change of a running order, and what the order goes back to when the change fails."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.fields import EncryptedJSONField
from core.models import Timestamped
from orders.choices import ChangeKind, ChangeState, Wanted
from orders.models.order import Order
from products.models import Plan, Release

OPEN = (ChangeState.APPLYING, ChangeState.REVERTING)


class OrderChangeQuerySet(models.QuerySet["OrderChange"]):
    """Sets of changes."""

    def open(self) -> Self:
        """Changes in progress: at most one per order."""
        return self.filter(state__in=OPEN)

    def overdue(self, now: datetime) -> Self:
        """Changes whose images were not ready, or whose services did not pass their checks, in time."""
        return self.filter(state=ChangeState.APPLYING, deadline_at__lte=now)

    def prepare_anew(self, order: Order) -> None:
        """The change in progress of `order` has its time again; while the order does not run, it has no deadline."""
        applying = self.filter(order=order, state=ChangeState.APPLYING)
        applying.update(deadline_at=preparation_deadline() if order.wanted == Wanted.RUNNING else None)

    def with_names(self) -> Self:
        """Everything a list shows of a change, in one query."""
        return self.select_related("order__customer", "from_release", "to_release", "from_plan", "to_plan")


class OrderChange(Timestamped):
    """A requested change of a running order: what it was, what it is to be, and how far it is."""

    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="changes", verbose_name=gettext_lazy("order")
    )
    kind = models.CharField(gettext_lazy("kind"), max_length=10, choices=ChangeKind.choices)
    state = models.CharField(
        gettext_lazy("state"), max_length=10, choices=ChangeState.choices, default=ChangeState.APPLYING
    )
    from_release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("former release")
    )
    to_release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("new release")
    )
    from_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("former plan")
    )
    to_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("new plan"))
    from_inputs = models.JSONField(gettext_lazy("former inputs"), default=dict, blank=True)
    to_inputs = models.JSONField(gettext_lazy("new inputs"), default=dict, blank=True)
    from_terms = models.JSONField(gettext_lazy("former terms"), default=dict, blank=True)
    former_secrets = EncryptedJSONField(gettext_lazy("former secrets"))
    reason = models.TextField(gettext_lazy("reason"), blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("requested by"),
    )
    switched_version = models.PositiveIntegerField(gettext_lazy("replaced for version"), default=0)
    switched_at = models.DateTimeField(
        gettext_lazy("services replaced"),
        null=True,
        blank=True,
        help_text=gettext_lazy("Until then the former services run undisturbed."),
    )
    deadline_at = models.DateTimeField(gettext_lazy("has to pass its checks by"), null=True, blank=True)
    interruption = models.FloatField(
        gettext_lazy("interruption (s)"),
        null=True,
        blank=True,
        help_text=gettext_lazy("From the replacement of the first service until every check passed again."),
    )
    ended_at = models.DateTimeField(gettext_lazy("ended"), null=True, blank=True)
    error = models.TextField(gettext_lazy("error"), blank=True)

    objects = OrderChangeQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("change of an order")
        verbose_name_plural = gettext_lazy("changes of orders")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("order",), name="one_open_change_per_order", condition=Q(state__in=OPEN)),
        )
        indexes = (
            # Read by the sweep: the few changes in progress.
            models.Index(fields=("deadline_at",), name="order_change_open", condition=Q(state__in=OPEN)),
        )

    def __str__(self) -> str:
        goal = {
            ChangeKind.UPGRADE: _("Upgrade to %(release)s"),
            ChangeKind.ROLLBACK: _("Rollback to %(release)s"),
            ChangeKind.PLAN: _("Change to plan %(plan)s"),
            ChangeKind.INPUTS: _("New settings"),
            ChangeKind.SECRETS: _("New secrets"),
        }[ChangeKind(self.kind)]
        return goal % {"release": self.to_release.version, "plan": self.to_plan.name}

    @property
    def is_open(self) -> bool:
        """True while it is in progress."""
        return self.state in OPEN

    def keep_former(self, order: Order) -> None:
        """The row, not yet saved, knows what `order` is before the change."""
        self.order, self.from_release, self.from_plan = order, order.release, order.plan
        self.from_inputs, self.former_secrets = dict(order.inputs), dict(order.secrets.values)
        terms = {name: getattr(order, name) for name in Order.AGREED_FIELDS}
        self.from_terms = {name: str(value) if isinstance(value, Decimal) else value for name, value in terms.items()}

    def give_back(self, order: Order) -> None:
        """The order's row, not yet saved, is what it was before the change."""
        order.release, order.plan, order.inputs = self.from_release, self.from_plan, dict(self.from_inputs)
        for name, value in self.from_terms.items():
            setattr(order, name, _term(name, value))


def preparation_deadline() -> datetime:
    """When the images of a change that is requested now must be ready."""
    return clock.now() + timedelta(seconds=settings.PREPARE_TIMEOUT)


def _term(name: str, value: Any) -> Any:
    is_text = isinstance(Order._meta.get_field(name), models.CharField)
    return value if is_text or value is None else Decimal(value)
