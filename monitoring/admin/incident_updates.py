"""One update for several incidents: a page that asks what to say, then the service, and one line that counts."""

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
    """What is said of all of them."""

    state = forms.ChoiceField(label=_("State"), choices=IncidentState.choices, widget=UnfoldAdminSelectWidget)
    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=(("", _("As it is")), *Incident.IMPACTS),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    message = forms.CharField(
        label=_("Message"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("Customers read this on their status pages. They are mailed when it is resolved, each once."),
    )

    def __init__(self, *args: Any, incidents: Sequence[Incident], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incidents = incidents

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said beside the field, with the orders concerned."""
        values = super().clean() or {}
        if not self.errors:
            for words, orders in _refusals(self.incidents, values["state"]).items():
                more = len(orders) - NAMED
                names = ", ".join(orders[:NAMED]) + (gettext(" and %(more)d more") % {"more": more} if more > 0 else "")
                self.add_error("state", f"{words} ({names})")
        return values


def _refusals(incidents: Sequence[Incident], state: str) -> dict[str, list[str]]:
    """Which orders would refuse, by why."""
    found: dict[str, list[str]] = {}
    for one in incidents:
        try:
            check_update(one, state)
        except Refusal as refusal:
            found.setdefault(str(refusal.message), []).append(one.order.reference)
    return found


def update_incidents(model_admin: Any, request: HttpRequest, rows: QuerySet[Incident]) -> TemplateResponse | None:
    """Each of the incidents says so and its history does; all of them or, with a word why, none."""
    incidents = list(rows.select_related("order__customer"))
    form = UpdatesForm(request.POST if is_confirmed(request) else None, incidents=incidents)
    if not form.is_valid():
        return _page(model_admin, request, rows, form)
    try:
        said = post_updates(incidents=incidents, actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return _page(model_admin, request, rows, form)
    told = gettext("Update written: %(state)s.") % {"state": IncidentState(form.cleaned_data["state"]).label}
    for one in incidents:
        model_admin.log_change(request, one, told)
    words = ngettext(
        "The update was written to %(count)d incident.", "The update was written to %(count)d incidents.", len(said)
    )
    messages.success(request, words % {"count": len(said)})
    return None


def _page(model_admin: Any, request: HttpRequest, rows: QuerySet[Incident], form: UpdatesForm) -> TemplateResponse:
    change = ConfirmedAction(
        title=_("Write an update"),
        says=_("The same is said of each of these incidents. Updates are never changed afterwards."),
        verb=str,
        describe=lambda one: f"{one.title} · {one.order} · {one.order.customer} · {one.get_state_display()}",
    )
    context = confirm_context(model_admin, request, change, rows) | {"form": form, "asks_why": False}
    return TemplateResponse(request, "admin/confirm.html", context)
