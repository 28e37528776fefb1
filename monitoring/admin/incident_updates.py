"""Posts one update to several incidents, after a page that asks for its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from core.admin.confirmed_actions import ConfirmedAction, confirm_context, is_confirmed
from core.errors import Refusal
from monitoring.choices import IncidentState
from monitoring.incidents.services import check_update, post_updates
from monitoring.models import Incident

NAMED = 10


class UpdatesForm(forms.Form):
    """The form of the update."""

    state = forms.ChoiceField(label=_("State"), choices=IncidentState.choices, widget=UnfoldAdminSelectWidget)
    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=(("", _("Unchanged")), *Incident.IMPACTS),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    message = forms.CharField(
        label=_("Message"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("Published on the status pages. Customers get one e-mail when the incidents are resolved."),
    )

    def __init__(self, *args: Any, incidents: Sequence[Incident], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incidents = incidents

    def clean(self) -> dict[str, Any]:
        """Shows what the service would refuse next to the field, with the incidents concerned."""
        values = super().clean() or {}
        if not self.errors:
            for reason, orders in _refusals(self.incidents, values["state"]).items():
                more = len(orders) - NAMED
                names = ", ".join(orders[:NAMED]) + (gettext(" and %(more)d more") % {"more": more} if more > 0 else "")
                self.add_error("state", f"{reason} ({names})")
        return values


def _refusals(incidents: Sequence[Incident], state: str) -> dict[str, list[str]]:
    """The titles of incidents that would refuse, by reason."""
    found: dict[str, list[str]] = {}
    for incident in incidents:
        try:
            check_update(incident, state)
        except Refusal as refusal:
            found.setdefault(str(refusal.message), []).append(incident.title)
    return found


def update_incidents(model_admin: Any, request: HttpRequest, rows: QuerySet[Incident]) -> TemplateResponse | None:
    """Posts the update to all incidents, or to none and shows the reason."""
    incidents = list(rows)
    form = UpdatesForm(request.POST if is_confirmed(request) else None, incidents=incidents)
    if not form.is_valid():
        return _page(model_admin, request, rows, form)
    try:
        updates = post_updates(incidents=incidents, actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return _page(model_admin, request, rows, form)
    change = gettext("Update posted: %(state)s.") % {"state": IncidentState(form.cleaned_data["state"]).label}
    for incident in incidents:
        model_admin.log_change(request, incident, change)
    text = ngettext("Update posted to %(count)d incident.", "Update posted to %(count)d incidents.", len(updates))
    messages.success(request, text % {"count": len(updates)})
    return None


def _page(model_admin: Any, request: HttpRequest, rows: QuerySet[Incident], form: UpdatesForm) -> TemplateResponse:
    change = ConfirmedAction(
        title=_("Post an update"),
        says=_("The update is published for each of these incidents and cannot be changed afterwards."),
        verb=str,
        describe=lambda incident: f"{incident.title} · {incident.get_state_display()}",
    )
    context = confirm_context(model_admin, request, change, rows) | {"form": form, "asks_why": False}
    return TemplateResponse(request, "admin/confirm.html", context)
