"""Subscriptions: what is charged again and again, and prices that are announced ahead."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.invoice_forms import day_widget, price_field
from billing.models import BilledPeriod, PendingCharge, PriceChange, Subscription
from billing.subscriptions.terms_changes import announce_price
from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned

ANNOUNCE = ConfirmedAction(
    title=_("Announce new price"),
    says=_("The customer gets an e-mail now. Periods that begin on or after the day cost the new price, before VAT."),
    done=_("The new price of %(row)s has been announced."),
    verb=lambda row, actor, why, **answers: announce_price(subscription=row, **answers),
    asks_reason=False,
)


class PriceForm(ReasonForm):
    """The new price, and from when."""

    effective_on = forms.DateField(label=_("From"), widget=day_widget())
    description = forms.CharField(
        label=_("Text for the customer"),
        max_length=250,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Printed in the e-mail, such as the reason."),
    )

    field_order = ("price", "effective_on", "description")

    def __init__(self, request: HttpRequest, action: ConfirmedAction, currency: str) -> None:
        super().__init__(request, action, "")
        self.fields["price"] = price_field(_("New price per period (%s)") % currency, currency)
        self.order_fields(self.field_order)


class _Rows(MachineOwned, TabularInline):
    """Rows that hang on a subscription, to be read."""

    extra = 0
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Subscription | None = None) -> bool:
        """Whoever sees the subscription sees them."""
        return bool(request.user.has_perm("billing.view_subscription"))


class PriceChangeInline(_Rows):
    """Earlier and announced prices."""

    model = PriceChange
    fields = ("effective_on", "price", "description", "announced_at")
    readonly_fields = fields


class PendingChargeInline(_Rows):
    """Charges within a period, and where they were invoiced."""

    model = PendingCharge
    fields = ("description", "amount", "start", "end", "invoice")
    readonly_fields = fields


class BilledPeriodInline(_Rows):
    """The periods that were billed."""

    model = BilledPeriod
    fields = ("start", "end", "invoice")
    readonly_fields = fields
    ordering = ("-start",)


@admin.register(Subscription)
class SubscriptionAdmin(MachineOwned, ModelAdmin):
    """What is charged again and again."""

    list_display = ("order", "customer", "description", "price_shown", "state_shown", "started_on", "next_invoice_on")
    list_filter = ("state", "period", "currency", "order__is_sandbox")
    list_select_related = ("order", "customer")
    search_fields = ("order__reference", "customer__name", "description")
    ordering = ("-pk",)
    actions_detail = ("announce",)
    inlines = (PriceChangeInline, PendingChargeInline, BilledPeriodInline)

    @admin.display(description=_("price"), ordering="price")
    def price_shown(self, row: Subscription) -> str:
        """Per period."""
        return f"{row.money} / {row.get_period_display()}"

    @display(description=_("state"), ordering="state", label={"active": "success", "ended": ""})
    def state_shown(self, row: Subscription) -> Label:
        """In colour."""
        return Label(row.state, str(row.get_state_display()))

    def has_announce_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may change how customers are billed."""
        return bool(request.user.has_perm("billing.change_billingprofile"))

    @action(description=ANNOUNCE.title, icon="campaign", permissions=("announce", "view"), url_path="price")
    def announce(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the customer is told of the new price."""
        row: Subscription | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        present = gettext("%(subscription)s · now %(price)s per period") % {"subscription": row, "price": row.money}
        return change_one(
            self,
            request,
            row,
            ANNOUNCE,
            PriceForm(request, ANNOUNCE, row.currency),
            name=str(row),
            back=reverse("admin:billing_subscription_change", args=(row.pk,)),
            rows=[present],
        )
