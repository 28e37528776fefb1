"""Fleet upgrades in the admin: begun from a form, watched, stopped, resumed and closed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one
from core.admin.read_only_rows import MachineOwned
from core.errors import Refusal
from orders.fleet.services import (
    close_fleet_upgrade,
    orders_without,
    progress_of,
    resume_fleet_upgrade,
    start_fleet_upgrade,
    stop_fleet_upgrade,
)
from orders.models import FleetMember, FleetUpgrade
from orders.models.fleet import MAX_WAVE
from products.models import Product, Release

TONES = {
    FleetUpgrade.State.RUNNING: "info",
    FleetUpgrade.State.STOPPED: "danger",
    FleetUpgrade.State.DONE: "success",
    FleetUpgrade.State.CLOSED: "",
}
MEMBER_TONES = {
    FleetMember.State.WAITING: "",
    FleetMember.State.UPGRADING: "info",
    FleetMember.State.DONE: "success",
    FleetMember.State.FAILED: "danger",
    FleetMember.State.SKIPPED: "warning",
}
SHOWN = 500


class NewFleetUpgradeForm(forms.Form):
    """Which release, and how many orders at a time."""

    release = forms.ModelChoiceField(
        Release.objects.none(),
        label=_("Release"),
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=_("All running orders of its product that have another release are upgraded."),
    )
    wave_size = forms.IntegerField(
        label=_("Orders per wave"),
        min_value=1,
        max_value=MAX_WAVE,
        initial=5,
        widget=widgets.UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text=_("The next wave begins once every order of the one before runs the release."),
    )
    why = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Shown on the timeline of each order, to the customer too."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["release"]
        offered = Product.objects.exclude(present_release=None).values("present_release")
        releases = Release.objects.filter(pk__in=offered).select_related("product").defer("compose", "manifest")
        field.queryset = releases.order_by("product__name")
        field.label_from_instance = _label


def _label(release: Release) -> str:
    """The release, and how many orders would get it."""
    count = orders_without(release).count()
    text = ngettext("%(release)s (%(count)s order)", "%(release)s (%(count)s orders)", count)
    return text % {"release": release, "count": count}


class ResumeForm(ReasonForm):
    """Whether orders that failed get another try."""

    retry_failed = forms.BooleanField(
        label=_("Try failed orders again"), required=False, widget=widgets.UnfoldBooleanSwitchWidget()
    )
    field_order = ("retry_failed", "why")

    def __init__(self, request: HttpRequest, action: ConfirmedAction) -> None:
        super().__init__(request, action, _("Kept in the history, which only staff read."))


@admin.register(FleetUpgrade)
class FleetUpgradeAdmin(MachineOwned, ModelAdmin):
    """A release on its way to all orders of its product."""

    list_display = ("release", "state_label", "progress", "wave", "wave_size", "requested_by", "created_at")
    list_filter = ("state",)
    list_select_related = ("release__product", "requested_by")
    search_fields = ("release__version", "release__product__name")
    show_full_result_count = False
    fields = ()
    actions_detail = ("resume", "stop", "close")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FleetUpgrade]:
        """With the number of orders, and of those that are through."""
        done = Q(members__state=FleetMember.State.DONE)
        rows = FleetUpgrade.objects.annotate(orders=Count("members"), done=Count("members", filter=done))
        return rows.select_related("release__product", "requested_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may start one."""
        return request.user.has_perm("orders.steer_fleetupgrade")

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may stop and resume."""
        return request.user.has_perm("orders.steer_fleetupgrade")

    @display(description=_("state"), ordering="state", label={str(state): tone for state, tone in TONES.items()})
    def state_label(self, fleet: FleetUpgrade) -> tuple[str, str]:
        """The state in its colour."""
        return fleet.state, fleet.get_state_display()

    @display(description=_("progress"))
    def progress(self, fleet: Any) -> str:
        """How many orders are through."""
        return gettext("%(done)s of %(orders)s") % {"done": fleet.done, "orders": fleet.orders}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form, and then the page of the fleet upgrade."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewFleetUpgradeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                fleet = start_fleet_upgrade(**form.cleaned_data, actor=request.user)  # type: ignore[arg-type]
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
            else:
                self.log_addition(request, fleet, form.cleaned_data["why"])
                messages.success(request, gettext("The first wave has begun."))
                return redirect(reverse("admin:orders_fleetupgrade_change", args=(fleet.pk,)))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("New fleet upgrade"),
            "opts": self.opts,
            "form": form,
            "back": reverse("admin:orders_fleetupgrade_changelist"),
        }
        return TemplateResponse(request, "admin/orders/fleetupgrade/form.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """How far it is, order by order."""
        fleet = self.get_object(request, object_id)
        extra = {**(extra_context or {}), **(page_of(fleet) if fleet else {})}
        return super().change_view(request, object_id, form_url, extra)  # type: ignore[no-any-return]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Stop while it runs, resume or close while it is stopped."""
        fleet = self.get_object(request, str(object_id))
        offered = {FleetUpgrade.State.RUNNING: ("_stop",), FleetUpgrade.State.STOPPED: ("_resume", "_close")}
        endings = offered.get(FleetUpgrade.State(fleet.state), ()) if fleet else ()
        return [
            action for action in super().get_actions_detail(request, object_id) if action.action_name.endswith(endings)
        ]

    @action(description=_("Resume"), icon="play_arrow", variant=ActionVariant.PRIMARY, permissions=("steer", "view"))
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The next wave begins."""
        resumption = ConfirmedAction(
            title=_("Resume fleet upgrade"),
            says=_("The next wave of orders is upgraded."),
            done=_("Fleet upgrade to %(row)s continues."),
            verb=lambda fleet, actor, why, retry_failed: resume_fleet_upgrade(
                fleet=fleet, retry_failed=retry_failed, actor=actor, why=why
            ),
        )
        return self._confirm(request, object_id, resumption, ResumeForm(request, resumption))

    @action(description=_("Stop"), icon="pause", permissions=("steer", "view"))
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """No further wave begins."""
        stopping = ConfirmedAction(
            title=_("Stop fleet upgrade"),
            says=_("No further wave begins. Orders that are being upgraded are finished."),
            done=_("Fleet upgrade to %(row)s is stopped."),
            verb=lambda fleet, actor, why: stop_fleet_upgrade(fleet=fleet, actor=actor, why=why),
            needs_reason=True,
        )
        form = ReasonForm(request, stopping, _("Shown on the page of the fleet upgrade."))
        return self._confirm(request, object_id, stopping, form)

    @action(description=_("Close"), icon="cancel", permissions=("steer", "view"))
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """It has ended, with orders that keep their release."""
        closing = ConfirmedAction(
            title=_("Close fleet upgrade"),
            says=_("It cannot be resumed. Orders that wait keep their release."),
            done=_("Fleet upgrade to %(row)s is closed."),
            verb=lambda fleet, actor, why: close_fleet_upgrade(fleet=fleet, actor=actor, why=why),
            needs_reason=True,
        )
        form = ReasonForm(request, closing, _("Shown on the page of the fleet upgrade."))
        return self._confirm(request, object_id, closing, form)

    def _confirm(
        self, request: HttpRequest, object_id: str, confirmed: ConfirmedAction, form: ReasonForm
    ) -> HttpResponse:
        fleet = self.get_object(request, object_id)
        if fleet is None:
            raise Http404
        back = reverse("admin:orders_fleetupgrade_change", args=(fleet.pk,))
        return change_one(self, request, fleet, confirmed, form, name=str(fleet), back=back)


def page_of(fleet: FleetUpgrade) -> dict[str, Any]:
    """What the page draws: counts, and the first orders."""
    counts = progress_of(fleet)
    members = fleet.members.select_related("order__customer").order_by("pk")[:SHOWN]
    return {
        "title": str(fleet),
        "fleet": fleet,
        "tone": TONES[FleetUpgrade.State(fleet.state)],
        "counts": [(FleetMember.State(state).label, count) for state, count in counts.items() if count],
        "total": sum(counts.values()),
        "done": counts[FleetMember.State.DONE],
        "members": [(member, MEMBER_TONES[FleetMember.State(member.state)]) for member in members],
        "more": max(0, sum(counts.values()) - SHOWN),
    }
