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

from core.admin.confirmed_actions import Change, change_rows
from core.errors import Refusal
from customers.models import User
from monitoring.maintenance.services import (
    cancel_maintenance,
    check_move,
    check_window,
    move_maintenance,
    plan_maintenance,
)
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
                self._check(values)
            except Refusal as refusal:
                self.add_error(refusal.field or None, refusal.message)
        return values

    def _check(self, values: dict[str, Any]) -> None:
        if self.instance.pk is None:
            check_window(**{name: values[name] for name in ("title", "starts_at", "ends_at", "orders")})
        else:
            standing = Maintenance.objects.get(pk=self.instance.pk)
            check_move(standing, starts_at=values["starts_at"], ends_at=values["ends_at"])


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
        """Its time may change while it is to come or under way, by whoever may plan; customers are told of it."""
        return self.has_plan_permission(request) and (obj is None or obj.is_ahead_or_open)

    def get_readonly_fields(self, request: HttpRequest, obj: Maintenance | None = None) -> tuple[str, ...]:
        """What customers were told it is about stays; for something else another window is planned."""
        return ("title", "description", "orders") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Maintenance | None = None) -> bool:
        """Never: the figures rest on it."""
        return False

    def save_model(self, request: HttpRequest, obj: Maintenance, form: Any, change: bool) -> None:
        """The service plans it, or moves it, and tells the customers."""
        if change:
            times = {name: form.cleaned_data[name] for name in ("starts_at", "ends_at")}
            move_maintenance(maintenance=obj, **times)
            return
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
