"""How staff open incidents, and post updates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from core.admin.labels import Label
from core.errors import Refusal
from customers.models import User
from monitoring.admin.incident_updates import update_incidents
from monitoring.choices import IncidentState, ServiceStatus
from monitoring.incidents.services import check_opening, check_update, open_incident, post_update
from monitoring.models import Incident, IncidentOrder, IncidentUpdate
from orders.models import Order

STATES = {
    IncidentState.INVESTIGATING: "danger",
    IncidentState.IDENTIFIED: "warning",
    IncidentState.MONITORING: "info",
    IncidentState.RESOLVED: "success",
}
NAMED = 3
IMPACTS = {ServiceStatus.DEGRADED: "info", ServiceStatus.PARTIAL: "warning", ServiceStatus.MAJOR: "danger"}


class UpdateForm(forms.ModelForm[IncidentUpdate]):
    """The form of one update."""

    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=(("", _("Unchanged")), *Incident.IMPACTS),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = IncidentUpdate
        fields = ("state", "impact", "message")
        widgets = {"message": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        """Shows what the service would refuse next to the field."""
        values = super().clean() or {}
        if not self.errors:
            try:
                check_update(self.instance.incident, values["state"])
            except Refusal as refusal:
                self.add_error(refusal.field, refusal.message)
        return values


class OpeningForm(forms.ModelForm[Incident]):
    """The form for opening an incident."""

    orders = forms.ModelMultipleChoiceField(
        Order.objects.all(),
        label=_("Orders"),
        widget=AutocompleteSelectMultiple(IncidentOrder._meta.get_field("order"), admin.site),
        help_text=_("Each customer gets one e-mail, and sees its own orders only."),
    )
    message = forms.CharField(
        label=_("First update"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("Published on the status pages and e-mailed to the customers."),
    )

    class Meta:
        model = Incident
        fields = ("title", "impact", "state")

    def clean(self) -> dict[str, Any]:
        """Shows what the service would refuse next to the field."""
        values = super().clean() or {}
        if not self.errors:
            try:
                check_opening(**{name: values[name] for name in ("orders", "title", "message", "state")})
            except Refusal as refusal:
                self.add_error(refusal.field, refusal.message)
        return values


class UpdateInline(TabularInline):
    """The updates so far, and a form for the next one."""

    model = IncidentUpdate
    form = UpdateForm
    fields = ("state", "impact", "message", "at", "actor")
    readonly_fields = ("at", "actor")
    hide_title = True
    extra = 1
    max_num = 1000

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncidentUpdate]:
        """With their authors."""
        rows: QuerySet[IncidentUpdate] = super().get_queryset(request)
        return rows.select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Until the incident is resolved."""
        may = request.user.has_perm("monitoring.add_incidentupdate")
        return bool(may and obj is not None and obj.resolved_at is None)

    def has_change_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: it is published."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: it is published."""
        return False


@admin.register(Incident)
class IncidentAdmin(ModelAdmin):
    """The list and pages of incidents."""

    list_display = (
        "title",
        "shown_orders",
        "shown_customers",
        "shown_state",
        "shown_impact",
        "started_at",
        "resolved_at",
    )
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "state", "impact", "orders__is_sandbox")
    search_fields = ("title", "orders__reference", "orders__name", "orders__customer__name")
    search_help_text = _("Title, order or customer")
    show_full_result_count = False
    ordering = ("-pk",)
    inlines = (UpdateInline,)
    actions = ("write_update",)

    SHOWN = (
        "title",
        "affected_orders",
        "shared_cause",
        "shown_state",
        "shown_impact",
        "is_by_hand",
        "started_at",
        "resolved_at",
    )
    ASKED = ("orders", "title", "impact", "state", "message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        """With their orders and customers."""
        rows: QuerySet[Incident] = super().get_queryset(request)
        return rows.prefetch_related("orders__customer")

    def get_fields(self, request: HttpRequest, obj: Incident | None = None) -> tuple[str, ...]:
        """The fields of the form, or of a published incident."""
        return self.SHOWN if obj else self.ASKED

    def get_readonly_fields(self, request: HttpRequest, obj: Incident | None = None) -> tuple[str, ...]:
        """All fields of a published incident: it changes by updates."""
        return self.SHOWN if obj else ()

    def get_form(self, request: HttpRequest, obj: Incident | None = None, change: bool = False, **named: Any) -> Any:
        """The form for opening an incident, or that of its page."""
        return super().get_form(request, obj, change, **({} if obj else {"form": OpeningForm}), **named)

    def get_inlines(self, request: HttpRequest, obj: Incident | None) -> Any:
        """Updates, on the page of an incident."""
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        """The service opens it and notifies the customers."""
        if change:
            return
        actor = request.user if isinstance(request.user, User) else None
        asked = {name: form.cleaned_data[name] for name in self.ASKED}
        obj.pk = open_incident(**asked, actor=actor).pk

    def has_delete_permission(self, request: HttpRequest, obj: Incident | None = None) -> bool:
        """Never: customers were notified of it."""
        return False

    def has_update_permission(self, request: HttpRequest) -> bool:
        """Staff who may post an update may post it to several."""
        return request.user.has_perm("monitoring.add_incidentupdate")

    @admin.action(description=_("Post an update …"), permissions=("update",))
    def write_update(self, request: HttpRequest, rows: QuerySet[Incident]) -> TemplateResponse | None:
        """Posts one update to all of them, after a confirmation."""
        return update_incidents(self, request, rows)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The service posts it."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        actor = request.user if isinstance(request.user, User) else None
        for update in formset.extra_forms:
            if update.has_changed():
                values = {name: update.cleaned_data[name] for name in ("state", "impact", "message")}
                formset.new_objects.append(post_update(incident=form.instance, actor=actor, **values))

    @admin.display(description=_("orders"))
    def shown_orders(self, row: Incident) -> str:
        references = sorted(order.reference for order in row.orders.all())
        more = len(references) - NAMED
        return ", ".join(references[:NAMED]) + (gettext(" and %(more)d more") % {"more": more} if more > 0 else "")

    @admin.display(description=_("customers"))
    def shown_customers(self, row: Incident) -> str:
        names = sorted({order.customer.name for order in row.orders.all()})
        more = len(names) - NAMED
        return ", ".join(names[:NAMED]) + (gettext(" and %(more)d more") % {"more": more} if more > 0 else "")

    @admin.display(description=_("affected orders"))
    def affected_orders(self, row: Incident) -> str:
        """Each with its customer, and when it recovered."""
        rows = row.affected.select_related("order__customer").order_by("order__reference")
        return format_html_join(
            mark_safe("<br>"),
            '<a href="{}" class="underline">{}</a> {}{}',
            (
                (
                    reverse("admin:orders_order_change", args=[affected.order_id]),
                    f"{affected.order.reference} {affected.order.name}",
                    affected.order.customer.name,
                    _recovery(affected),
                )
                for affected in rows
            ),
        )

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, row: Incident) -> Label:
        return Label(row.state, row.get_state_display())

    @display(description=_("impact"), ordering="impact", label=IMPACTS)
    def shown_impact(self, row: Incident) -> Label:
        return Label(row.impact, row.get_impact_display())


def _recovery(affected: IncidentOrder) -> str:
    if affected.recovered_at is None:
        return ""
    time = date_format(localtime(affected.recovered_at), "DATETIME_FORMAT")
    return gettext(", recovered %(time)s") % {"time": time}
