"""The order: a product implemented for a customer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField, MoneyField
from core.models import Timestamped
from customers.models import Customer
from orders.allowed_actions import RULES, Situation, is_allowed
from orders.choices import SUSPENDING, OrderAction, State, Wanted
from orders.lifecycle import OrderStatus, ReportedPart, is_suspending, order_status
from orders.terms import Terms, offered
from products.models import Plan, Release

if TYPE_CHECKING:
    from customers.models import User


class OrderQuerySet(models.QuerySet["Order"]):
    """Sets of orders."""

    def visible_to(self, user: User) -> Self:
        """Orders of the user's customers. Staff see all or nothing, by permission: a membership gives staff nothing."""
        if user.is_staff:
            return self if user.has_perm("orders.view_order") else self.none()
        return self.filter(customer__memberships__user=user)

    def with_names(self) -> Self:
        """Everything a list shows of an order, in one query."""
        return self.select_related("customer", "release__product", "plan")

    def moving(self) -> Self:
        """Orders whose parts may have to be brought in line: what the rooms above look at again."""
        settled = (State.DRAFT, State.PENDING, State.REMOVED)
        return self.exclude(state__in=settled)

    def needing_attention(self) -> Self:
        """Orders on which staff have to act: approve, or mend."""
        return self.filter(Q(needs_attention=True) | Q(state=State.PENDING))

    def count_by_state(self) -> dict[str, int]:
        """How many orders are in each state that has any; one query."""
        return dict(self.order_by().values_list("state").annotate(models.Count("pk")))

    def outdated(self) -> Self:
        """Running orders whose product offers another release to new orders."""
        running = self.filter(wanted=Wanted.RUNNING, activated_at__isnull=False)
        offered = F("release__product__present_release")
        return running.filter(release__product__present_release__isnull=False).exclude(release=offered)


class Order(Timestamped):
    """A product implemented for a customer: what is wanted, and how far it is.

    `state`, `reason` and `needs_attention` are derived (orders.lifecycle) and stored for queries; nobody sets them.
    """

    reference = models.CharField(_("reference"), max_length=12, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders", verbose_name=_("customer"))
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="orders", verbose_name=_("release"))
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="orders", verbose_name=_("plan"))
    name = models.CharField(_("name"), max_length=120, help_text=_("The customer's name for it."))
    inputs = models.JSONField(_("inputs"), default=dict, blank=True)
    is_sandbox = models.BooleanField(
        _("sandbox"), default=False, help_text=_("Sandbox order: no real servers, no charges.")
    )
    provider_slug = models.SlugField(
        _("requested provider"), max_length=60, blank=True, help_text=_("Empty: chosen automatically.")
    )

    # What was agreed when it was placed: a plan that changes later changes no order (see `terms`).
    agreed_price = MoneyField(_("agreed price"), null=True, editable=False)
    agreed_setup_fee = MoneyField(_("agreed set-up fee"), null=True, editable=False)
    agreed_currency = models.CharField(
        _("agreed currency"), max_length=3, blank=True, editable=False, default="", db_default=""
    )
    agreed_period = models.CharField(
        _("agreed period"), max_length=7, blank=True, editable=False, default="", db_default=""
    )
    agreed_promise = models.DecimalField(
        _("agreed availability (%)"), max_digits=5, decimal_places=2, null=True, editable=False
    )
    agreed_credit = models.DecimalField(
        _("agreed credit (%)"), max_digits=5, decimal_places=2, null=True, editable=False
    )

    wanted = models.CharField(_("wanted"), max_length=10, choices=Wanted.choices, default=Wanted.RUNNING)
    wanted_version = models.PositiveIntegerField(_("wanted version"), default=1)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    reason = models.TextField(_("reason"), blank=True)
    needs_attention = models.BooleanField(_("needs attention"), default=False)
    is_changing = models.BooleanField(
        _("change in progress"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Of its release, plan, settings or secrets."),
    )

    placed_at = models.DateTimeField(_("placed"), null=True, blank=True)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    activated_at = models.DateTimeField(_("first active"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    removal_on = models.DateField(_("removal scheduled"), null=True, blank=True, editable=False)
    removal_reason = models.CharField(
        _("reason for removal"), max_length=300, blank=True, editable=False, default="", db_default=""
    )

    objects = OrderQuerySet.as_manager()

    AGREED_FIELDS = (
        "agreed_price",
        "agreed_setup_fee",
        "agreed_currency",
        "agreed_period",
        "agreed_promise",
        "agreed_credit",
    )

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ("-pk",)
        permissions = (
            ("approve_order", _("Can approve orders")),
            ("steer_order", _("Can suspend, resume and retry orders")),
            ("remove_order", _("Can remove orders")),
            ("reveal_secrets", _("Can see an order's secrets")),
        )
        constraints = (
            models.CheckConstraint(condition=Q(wanted__in=Wanted.values), name="order_wanted_known"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="order_state_known"),
            models.UniqueConstraint(
                fields=("customer", "name"),
                name="order_name_once_per_customer",
                condition=~Q(state="removed"),
                violation_error_message=_("This customer already has an order of that name."),
            ),
        )
        indexes = (
            models.Index(fields=("state", "-id"), name="order_by_state"),
            # Read by the API: what has changed since the caller's last visit.
            models.Index(fields=("updated_at", "id"), name="order_by_change"),
            # Read by the dashboard: the few orders that need attention.
            models.Index(fields=("-id",), name="order_needs_attention", condition=Q(needs_attention=True)),
            # Read by the removals of the day: the few orders with a last day.
            models.Index(fields=("removal_on",), name="order_removal_on", condition=Q(removal_on__isnull=False)),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def key(self) -> str:
        """What everything outside that belongs to this order is called."""
        return f"live-{self.reference.lower()}"

    @property
    def terms(self) -> Terms:
        """What was agreed when it was placed; of a draft, what its plan offers now."""
        if self.agreed_price is None or self.agreed_setup_fee is None or self.agreed_credit is None:
            return offered(self.plan)
        return Terms(
            price=self.agreed_price,
            setup_fee=self.agreed_setup_fee,
            currency=self.agreed_currency,
            period=self.agreed_period,
            promise=self.agreed_promise,
            credit=self.agreed_credit,
        )

    @property
    def is_suspending(self) -> bool:
        """True while its services stop: until then the order is still active."""
        return is_suspending(State(self.state), Wanted(self.wanted))

    @property
    def state_label(self) -> str:
        """The state as people read it."""
        return str(SUSPENDING if self.is_suspending else State(self.state).label)

    def allows(self, action: OrderAction) -> bool:
        """True when the order's state allows `action`; who may request it is another question."""
        situation = Situation(
            state=State(self.state),
            wanted=Wanted(self.wanted),
            needs_attention=self.needs_attention,
            is_changing=self.is_changing,
            was_active=self.activated_at is not None,
        )
        return is_allowed(action, situation)

    def refusal(self, action: OrderAction) -> str:
        """Why `action` is refused while the order's state does not allow it."""
        return str(RULES[action].refusal)

    def status_with(self, parts: Iterable[ReportedPart]) -> OrderStatus:
        """The status of the order if `parts` are what was reported."""
        return order_status(
            wanted=Wanted(self.wanted),
            version=self.wanted_version,
            placed=self.placed_at is not None,
            approved=self.approved_at is not None,
            parts=parts,
        )

    @property
    def is_outdated(self) -> bool:
        """True when new orders of its product get another release; the product must be loaded."""
        offered = self.release.product.present_release_id
        runs = self.wanted == Wanted.RUNNING and self.activated_at is not None
        return runs and offered is not None and offered != self.release_id

    def agree(self, terms: Terms) -> None:
        """The row, not yet saved, holds these terms from now on."""
        self.agreed_price, self.agreed_setup_fee = terms.price, terms.setup_fee
        self.agreed_currency, self.agreed_period = terms.currency, terms.period
        self.agreed_promise, self.agreed_credit = terms.promise, terms.credit


class OrderSecrets(Timestamped):
    """The secrets generated for an order, sealed, apart so that lists never load them."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="secrets", verbose_name=_("order"))
    values = EncryptedJSONField(_("values"))

    class Meta:
        verbose_name = _("order secrets")
        verbose_name_plural = _("order secrets")

    def __str__(self) -> str:
        return f"Secrets of order {self.order_id}"
