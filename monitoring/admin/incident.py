"""How staff follow an incident, and say what is being done about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from customers.models import User
from live.lib.errors import Refusal
from monitoring.incidents import check_update, post_update
from monitoring.models import Incident, IncidentUpdate
from monitoring.words import Progress, Service

STATES = {
    Progress.INVESTIGATING: "danger",
    Progress.IDENTIFIED: "warning",
    Progress.MONITORING: "info",
    Progress.RESOLVED: "success",
}
IMPACTS = {Service.PARTIAL: "warning", Service.MAJOR: "danger"}


class UpdateForm(forms.ModelForm[IncidentUpdate]):
    """One thing to say."""

    class Meta:
        model = IncidentUpdate
        fields = ("state", "message")

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the field."""
        values = super().clean() or {}
        if not self.errors:
            try:
                check_update(self.instance.incident, values["state"])
            except Refusal as refusal:
                self.add_error(refusal.field, refusal.message)
        return values


class UpdateInline(TabularInline):
    """What was said, and a line to say more."""

    model = IncidentUpdate
    form = UpdateForm
    fields = ("state", "message", "at", "actor")
    readonly_fields = ("at", "actor")
    hide_title = True
    extra = 1
    max_num = 1000

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        """With who said it."""
        rows: QuerySet[IncidentUpdate] = super().get_queryset(request)
        return rows.select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Until the incident is resolved."""
        may = request.user.has_perm("monitoring.add_incidentupdate")
        return bool(may and obj is not None and obj.resolved_at is None)

    def has_change_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: customers have read it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: customers have read it."""
        return False


@admin.register(Incident)
class IncidentAdmin(ModelAdmin):
    """One line per incident."""

    list_display = ("title", "order", "customer", "shown_state", "shown_impact", "started_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "state", "impact", "order__is_sandbox")
    list_select_related = ("order__customer",)
    search_fields = ("title", "order__reference", "order__name", "order__customer__name")
    search_help_text = _("Title, order, or customer")
    show_full_result_count = False
    ordering = ("-pk",)
    fields = ("order", "title", "shown_state", "shown_impact", "started_at", "resolved_at")
    readonly_fields = fields
    inlines = (UpdateInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: an outage that lasts opens one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: customers were told of it."""
        return False

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The service says it."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        actor = request.user if isinstance(request.user, User) else None
        for one in formset.extra_forms:
            if one.has_changed():
                said = {name: one.cleaned_data[name] for name in ("state", "message")}
                post_update(incident=form.instance, actor=actor, **said)

    @admin.display(description=_("customer"), ordering="order__customer__name")
    def customer(self, row: Incident) -> str:
        """Whose order it is."""
        return row.order.customer.name

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, row: Incident) -> tuple[str, str]:
        """In colour."""
        return row.state, row.get_state_display()

    @display(description=_("impact"), ordering="impact", label=IMPACTS)
    def shown_impact(self, row: Incident) -> tuple[str, str]:
        """In colour."""
        return row.impact, row.get_impact_display()
