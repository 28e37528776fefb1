"""How staff plan maintenance, and call it off."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from customers.models import User
from live.lib.confirming import Change, change_rows
from live.lib.errors import Refusal
from monitoring.maintenance import cancel_maintenance, check_window, plan_maintenance
from monitoring.models import Maintenance

TONES = {"ahead": "info", "open": "warning", "over": "", "cancelled": ""}
STANDINGS = {"ahead": _("To come"), "open": _("Under way"), "over": _("Over"), "cancelled": _("Called off")}
CALL_OFF = Change(
    title=_("Call off, or end now"),
    says=_("What is still to come is called off, and the customers are told. What is under way ends now."),
    verb=lambda window: cancel_maintenance(maintenance=window),
)


class MaintenanceForm(forms.ModelForm[Maintenance]):
    """A window that staff would like to plan."""

    class Meta:
        model = Maintenance
        fields = ("title", "description", "starts_at", "ends_at", "orders")

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the field."""
        values = super().clean() or {}
        if not self.errors:
            try:
                check_window(**{name: values[name] for name in ("title", "starts_at", "ends_at", "orders")})
            except Refusal as refusal:
                self.add_error(refusal.field, refusal.message)
        return values


@admin.register(Maintenance)
class MaintenanceAdmin(ModelAdmin):
    """One line per window."""

    form = MaintenanceForm
    list_display = ("title", "standing", "starts_at", "ends_at", "order_count", "planned_by", "last_error")
    list_filter = ("starts_at",)
    list_select_related = ("planned_by",)
    search_fields = ("title", "orders__reference", "orders__customer__name")
    search_help_text = _("Title, order, or customer")
    show_full_result_count = False
    autocomplete_fields = ("orders",)
    actions = ("call_off",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Maintenance]:
        """With the number of their orders."""
        rows: QuerySet[Maintenance] = super().get_queryset(request)
        return rows.annotate(orders_concerned=Count("orders"))

    def has_change_permission(self, request: HttpRequest, obj: Maintenance | None = None) -> bool:
        """Never: what customers were told is called off and planned anew."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Maintenance | None = None) -> bool:
        """Never: the figures rest on it."""
        return False

    def save_model(self, request: HttpRequest, obj: Maintenance, form: Any, change: bool) -> None:
        """The service plans it, and tells the customers."""
        actor = request.user if isinstance(request.user, User) else None
        obj.pk = plan_maintenance(**form.cleaned_data, actor=actor).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has named the orders already."""

    @display(description=_("standing"), label=TONES)
    def standing(self, row: Maintenance) -> tuple[str, Any]:
        """In a word and its colour."""
        return row.standing, STANDINGS[row.standing]

    @admin.display(description=_("orders"))
    def order_count(self, row: Any) -> int:
        """How many are concerned."""
        return int(row.orders_concerned)

    def has_plan_permission(self, request: HttpRequest) -> bool:
        """Whoever may plan a window may call one off."""
        return bool(request.user.has_perm("monitoring.add_maintenance"))

    @admin.action(description=_("Call off, or end now"), permissions=("plan",))
    def call_off(self, request: HttpRequest, rows: QuerySet[Maintenance]) -> TemplateResponse | None:
        """After a confirmation."""
        return change_rows(self, request, CALL_OFF, rows)
