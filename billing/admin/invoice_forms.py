"""What staff are asked before an invoice is credited, paid, reminded of or refunded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.invoicing.crediting import creditable
from billing.models import Invoice, Payment, ReminderStep
from core import clock
from core.admin.confirmed_actions import ConfirmedAction, ReasonForm
from core.iso_codes import decimals_of
from core.money import Money, minor_unit

METHODS = [choice for choice in Payment.Method.choices if choice[0] != Payment.Method.WHMCS]


def day_widget() -> UnfoldAdminTextInputWidget:
    """The browser's own calendar."""
    return UnfoldAdminTextInputWidget(attrs={"type": "date"})


def price_field(label: Any, currency: str, **options: Any) -> forms.DecimalField:
    """An amount in whole minor units of the currency; nothing at the least, unless `options` say otherwise."""
    step = {"step": str(minor_unit(currency))}
    limits = {"min_value": Decimal(0), "max_digits": 12, "decimal_places": decimals_of(currency)}
    return forms.DecimalField(label=label, widget=UnfoldAdminDecimalFieldWidget(attrs=step), **{**limits, **options})


def amount_field(label: Any, initial: Money, *, is_largest: bool = True, **options: Any) -> forms.DecimalField:
    """More than nothing, in whole minor units; at most `initial` unless it is not the largest amount."""
    most = initial.amount if is_largest and initial else None
    least = minor_unit(initial.currency)
    limits = {"initial": initial.amount, "min_value": least, "max_value": most}
    return price_field(label, initial.currency, **limits, **options)


class LineAmounts(dict[int, Decimal]):
    """What is credited, by the position of the line."""

    def __str__(self) -> str:
        return ", ".join(f"{position}: {amount}" for position, amount in self.items())


class CreditForm(ReasonForm):
    """How much of each line; all that is left where nothing is changed."""

    def __init__(self, request: HttpRequest, action: ConfirmedAction, invoice: Invoice) -> None:
        super().__init__(request, action, _("Printed on the credit note."))
        self._positions: list[int] = []
        left, descriptions = creditable(invoice), dict(invoice.lines.values_list("position", "description"))
        for position, amount in left.items():
            if amount > 0:
                most = Money(amount, invoice.currency)
                label = f"{descriptions[position]} ({most})"
                self.fields[f"line_{position}"] = amount_field(label, most, required=False)
                self._positions.append(position)

    def answers(self) -> dict[str, Any]:
        """The reason, and the amounts by line."""
        given = {position: self.cleaned_data.get(f"line_{position}") for position in self._positions}
        amounts = LineAmounts({position: amount for position, amount in given.items() if amount})
        return {"why": self.cleaned_data["why"], "amounts": amounts}


class PaymentForm(ReasonForm):
    """An amount that was received."""

    received_on = forms.DateField(label=_("Received"), widget=day_widget())
    method = forms.ChoiceField(label=_("Method"), choices=METHODS, widget=UnfoldAdminSelectWidget())
    reference = forms.CharField(
        label=_("Reference"), max_length=140, required=False, widget=UnfoldAdminTextInputWidget()
    )
    field_order = ("amount", "received_on", "method", "reference")

    def __init__(self, request: HttpRequest, action: ConfirmedAction, invoice: Invoice) -> None:
        super().__init__(request, action, "")
        self.fields["amount"] = amount_field(
            _("Amount (%s)") % invoice.currency, Money(invoice.outstanding, invoice.currency), is_largest=False
        )
        self.fields["received_on"].initial = clock.today()
        self.order_fields(self.field_order)


class RefundForm(ReasonForm):
    """An amount of the credit balance that was paid back."""

    paid_on = forms.DateField(label=_("Paid back"), widget=day_widget())
    reference = forms.CharField(
        label=_("Reference"), max_length=140, required=False, widget=UnfoldAdminTextInputWidget()
    )
    field_order = ("amount", "paid_on", "reference")

    def __init__(self, request: HttpRequest, action: ConfirmedAction, balance: Money) -> None:
        super().__init__(request, action, "")
        self.fields["amount"] = amount_field(_("Amount (%s)") % balance.currency, balance)
        self.fields["paid_on"].initial = clock.today()
        self.order_fields(self.field_order)


class ReminderForm(ReasonForm):
    """Which reminder of the plan."""

    step = forms.ModelChoiceField(
        ReminderStep.objects.filter(is_active=True), label=_("Reminder"), widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, request: HttpRequest, action: ConfirmedAction) -> None:
        super().__init__(request, action, "")
