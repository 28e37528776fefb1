"""How staff plan, move and cancel maintenance."""

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

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
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

TONES = {"scheduled": "info", "in_progress": "warning", "completed": "", "cancelled": ""}
CANCEL = ConfirmedAction(
    title=_("Cancel or end now"),
    says=_("A scheduled window is cancelled and its customers get an e-mail. A window in progress ends now."),
    verb=lambda window: cancel_maintenance(maintenance=window),
)


class MaintenanceForm(forms.ModelForm[Maintenance]):
    """The form for planning or moving a window."""

    class Meta:
        model = Maintenance
        fields = ("title", "description", "starts_at", "ends_at", "orders")

    def clean(self) -> dict[str, Any]:
        """Shows what the service would refuse next to the field."""
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
            window = Maintenance.objects.get(pk=self.instance.pk)
            check_move(window, starts_at=values["starts_at"], ends_at=values["ends_at"])


@admin.register(Maintenance)
class MaintenanceAdmin(ModelAdmin):
    """The list and form of maintenance windows."""

    form = MaintenanceForm
    list_display = ("title", "shown_phase", "starts_at", "ends_at", "order_count", "planned_by", "last_error")
    list_filter = ("starts_at",)
    list_select_related = ("planned_by",)
    search_fields = ("title", "orders__reference", "orders__customer__name")
    search_help_text = _("Title, order, or customer")
    show_full_result_count = False
    autocomplete_fields = ("orders",)
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Maintenance]:
        """Annotated with the number of orders."""
        rows: QuerySet[Maintenance] = super().get_queryset(request)
        return rows.annotate(orders_concerned=Count("orders"))

    def has_change_permission(self, request: HttpRequest, obj: Maintenance | None = None) -> bool:
        """Only the times of an unfinished window may change, by staff who may plan one."""
        return self.has_plan_permission(request) and (obj is None or obj.is_unfinished)

    def get_readonly_fields(self, request: HttpRequest, obj: Maintenance | None = None) -> tuple[str, ...]:
        """Customers were told what it is about: only its times can change."""
        return ("title", "description", "orders") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Maintenance | None = None) -> bool:
        """Never: availability figures depend on it."""
        return False

    def save_model(self, request: HttpRequest, obj: Maintenance, form: Any, change: bool) -> None:
        """The service plans or moves it, and notifies the customers."""
        if change:
            times = {name: form.cleaned_data[name] for name in ("starts_at", "ends_at")}
            move_maintenance(maintenance=obj, **times)
            return
        actor = request.user if isinstance(request.user, User) else None
        obj.pk = plan_maintenance(**form.cleaned_data, actor=actor).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has saved the orders already."""

    @display(description=_("status"), label=TONES)
    def shown_phase(self, row: Maintenance) -> Label:
        return Label(row.phase, str(row.phase.label))

    @admin.display(description=_("orders"))
    def order_count(self, row: Any) -> int:
        """The number of affected orders."""
        return int(row.orders_concerned)

    def has_plan_permission(self, request: HttpRequest) -> bool:
        """Staff who may plan a window may cancel one."""
        return bool(request.user.has_perm("monitoring.add_maintenance"))

    @admin.action(description=_("Cancel or end now"), permissions=("plan",))
    def cancel(self, request: HttpRequest, rows: QuerySet[Maintenance]) -> TemplateResponse | None:
        """Asks for confirmation first."""
        return change_rows(self, request, CANCEL, rows)
