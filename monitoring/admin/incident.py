"""How staff follow an incident, and say what is being done about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from core.admin.labels import Label
from core.errors import Refusal
from customers.models import User
from monitoring.admin.incident_updates import update_incidents
from monitoring.choices import IncidentState, ServiceStatus
from monitoring.incidents.services import check_opening, check_update, open_incidents, post_update
from monitoring.models import Incident, IncidentUpdate
from orders.models import Order

STATES = {
    IncidentState.INVESTIGATING: "danger",
    IncidentState.IDENTIFIED: "warning",
    IncidentState.MONITORING: "info",
    IncidentState.RESOLVED: "success",
}
IMPACTS = {ServiceStatus.DEGRADED: "info", ServiceStatus.PARTIAL: "warning", ServiceStatus.MAJOR: "danger"}


class UpdateForm(forms.ModelForm[IncidentUpdate]):
    """One thing to say."""

    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=(("", _("As it is")), *Incident.IMPACTS),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = IncidentUpdate
        fields = ("state", "impact", "message")
        widgets = {"message": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the field."""
        values = super().clean() or {}
        if not self.errors:
            try:
                check_update(self.instance.incident, values["state"])
            except Refusal as refusal:
                self.add_error(refusal.field, refusal.message)
        return values


class OpeningForm(forms.ModelForm[Incident]):
    """An incident that staff would like to open, for one order or several."""

    orders = forms.ModelMultipleChoiceField(
        Order.objects.all(),
        label=_("Orders"),
        widget=AutocompleteSelectMultiple(Incident._meta.get_field("order"), admin.site),
        help_text=_("Each gets an incident of its own; a customer gets one mail."),
    )
    message = forms.CharField(
        label=_("First words"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("Customers read this, and get it by mail."),
    )

    class Meta:
        model = Incident
        fields = ("title", "impact", "state")

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the field."""
        values = super().clean() or {}
        if not self.errors:
            try:
                check_opening(**{name: values[name] for name in ("orders", "title", "message", "state")})
            except Refusal as refusal:
                self.add_error(refusal.field, refusal.message)
        return values


class UpdateInline(TabularInline):
    """What was said, and a line to say more."""

    model = IncidentUpdate
    form = UpdateForm
    fields = ("state", "impact", "message", "at", "actor")
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
    inlines = (UpdateInline,)
    actions = ("write_update",)

    SHOWN = ("order", "title", "shown_state", "shown_impact", "is_by_hand", "started_at", "resolved_at")
    ASKED = ("orders", "title", "impact", "state", "message")

    def get_fields(self, request: HttpRequest, obj: Incident | None = None) -> tuple[str, ...]:
        """What is asked of a new one, and what is shown of one that customers know."""
        return self.SHOWN if obj else self.ASKED

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> tuple[str, ...]:
        """All of it, once customers know: updates say what changes."""
        return self.SHOWN if obj else ()

    def get_form(self, request: HttpRequest, obj: Incident | None = None, change: bool = False, **named: Any) -> Any:
        """The form to open one with, or to write updates in."""
        return super().get_form(request, obj, change, **({} if obj else {"form": OpeningForm}), **named)

    def get_inlines(self, request: HttpRequest, obj: Incident | None) -> Any:
        """Updates, once there is something to update."""
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        """The service opens one per order, and tells the customers; the history has each."""
        if change:
            return
        actor = request.user if isinstance(request.user, User) else None
        asked = {name: form.cleaned_data[name] for name in self.ASKED}
        first, *others = open_incidents(**asked, actor=actor)
        obj.pk, obj.order = first.pk, first.order
        for other in others:
            self.log_addition(request, other, [{"added": {}}])

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: customers were told of it."""
        return False

    def has_update_permission(self, request: HttpRequest) -> bool:
        """Whoever may write an update may write it to several."""
        return request.user.has_perm("monitoring.add_incidentupdate")

    @admin.action(description=_("Write an update …"), permissions=("update",))
    def write_update(self, request: HttpRequest, rows: QuerySet[Incident]) -> TemplateResponse | None:
        """The same is said of all of them, once that is confirmed."""
        return update_incidents(self, request, rows)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The service says it."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        actor = request.user if isinstance(request.user, User) else None
        for one in formset.extra_forms:
            if one.has_changed():
                said = {name: one.cleaned_data[name] for name in ("state", "impact", "message")}
                formset.new_objects.append(post_update(incident=form.instance, actor=actor, **said))

    @admin.display(description=_("customer"), ordering="order__customer__name")
    def customer(self, row: Incident) -> str:
        """Whose order it is."""
        return row.order.customer.name

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, row: Incident) -> Label:
        """In colour."""
        return Label(row.state, row.get_state_display())

    @display(description=_("impact"), ordering="impact", label=IMPACTS)
    def shown_impact(self, row: Incident) -> Label:
        """In colour."""
        return Label(row.impact, row.get_impact_display())
