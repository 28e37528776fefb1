"""What a customer pays for an order, again and again."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import MoneyField
from core.models import Timestamped
from core.money import Money
from customers.choices import Ability
from customers.models import Customer
from orders.models import Order
from products.choices import PricePeriod

if TYPE_CHECKING:
    from datetime import date

    from customers.models import User


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Sets of subscriptions."""

    def due(self, today: date) -> Self:
        """Those whose next period has come."""
        return self.filter(state=Subscription.State.ACTIVE, next_invoice_on__lte=today)

    def visible_to(self, user: User) -> Self:
        """Those of the customers at which the user may see invoices; staff who may view subscriptions see all."""
        if user.is_staff:
            return self if user.has_perm("billing.view_subscription") else self.none()
        return self.filter(customer__in=Customer.objects.where_may(user, Ability.SEE_INVOICES))


class Subscription(Timestamped):
    """The price of an order as it was agreed when it first became active, and when it is asked for next."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")

    Period = PricePeriod

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="subscription", verbose_name=_("order"))
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("customer")
    )
    description = models.CharField(_("description"), max_length=250)
    detail = models.CharField(_("detail"), max_length=250, blank=True)
    price = MoneyField(_("price"))
    setup_fee = MoneyField(_("set-up fee"))
    currency = models.CharField(_("currency"), max_length=3)
    period = models.CharField(_("period"), max_length=7, choices=Period.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    discount = models.DecimalField(_("discount (%)"), max_digits=5, decimal_places=2, default=Decimal(0))
    started_on = models.DateField(_("billed from"), help_text=_("The first day that is charged, after any free trial."))
    anchor_on = models.DateField(
        _("periods begin"), null=True, blank=True, help_text=_("From this day periods are whole; before it, prorated.")
    )
    minimum_until = models.DateField(_("minimum term ends"), null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(_("notice (days)"), default=0)
    next_invoice_on = models.DateField(_("next invoice"), null=True, blank=True)
    ended_on = models.DateField(_("ended"), null=True, blank=True)
    billing_problem = models.CharField(
        _("billing problem"), max_length=250, blank=True, help_text=_("Why the billing run could not bill it.")
    )

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(condition=Q(price__gte=0) & Q(setup_fee__gte=0), name="subscription_not_negative"),
            models.CheckConstraint(
                condition=Q(discount__gte=0) & Q(discount__lte=100), name="subscription_discount_percentage"
            ),
            models.CheckConstraint(
                condition=Q(state="active", next_invoice_on__isnull=False) | Q(state="ended", ended_on__isnull=False),
                name="subscription_active_or_ended",
            ),
        )
        indexes = (
            # Read by the billing run: the few that are due.
            models.Index(fields=("next_invoice_on",), name="subscription_due", condition=Q(state="active")),
        )

    def __str__(self) -> str:
        return f"{self.order.reference} · {self.description}"

    @property
    def money(self) -> Money:
        """The price per period."""
        return Money(self.price, self.currency)
