"""The state filter of findings, and the form to choose an adopting order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from infrastructure.models import DriftFinding
from orders.models import Order


class StateFilter(admin.SimpleListFilter):
    """Open findings by default."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The states besides Open."""
        return (("accepted", _("Accepted")), ("solved", _("Resolved")), ("all", _("All")))

    def choices(self, changelist: Any) -> Any:
        """Django's first choice, All, is named Open."""
        for index, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": gettext("Open")} if index == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The findings in the chosen state."""
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or DriftFinding.State.OPEN)


class AdoptForm(forms.Form):
    """The order that adopts the server."""

    order = forms.ModelChoiceField(Order.objects.none(), label=_("Order"), widget=UnfoldAdminSelectWidget())

    def __init__(self, data: Any = None, *, orders: QuerySet[Order]) -> None:
        super().__init__(data)
        field: Any = self.fields["order"]
        field.queryset = orders.select_related("customer")
        field.label_from_instance = lambda order: f"{order.reference} · {order.name} · {order.customer}"
