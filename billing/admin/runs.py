"""Billing runs: read before they start, watched while they run, and reported on afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from billing.invoicing.services import preview_run, request_run
from billing.models import BillingRun, Subscription
from core import clock
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned
from core.errors import Refusal
from core.money import Money

PREVIEWED = 2000  # subscriptions; more are previewed by `manage.py bill --preview`
SHOWN = 100


@admin.register(BillingRun)
class BillingRunAdmin(MachineOwned, ModelAdmin):
    """What each run was due to bill, has billed, and could not bill."""

    list_display = ("day", "created_at", "state_shown", "progress", "invoices", "totals_shown", "finished_at")
    readonly_fields = ("problems_shown", "progress", "totals_shown", "state_shown")
    fields = (
        ("day", "state_shown"),
        ("progress", "invoices"),
        ("totals_shown", "created_at"),
        "finished_at",
        "problems_shown",
    )
    search_fields = ("day",)
    ordering = ("-pk",)
    actions_list = ("start",)

    def has_start_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may start a run."""
        return bool(request.user.has_perm("billing.start_billingrun"))

    @action(description=_("Start billing run"), icon="play_arrow", permissions=["start"], url_path="start")
    def start(self, request: HttpRequest) -> HttpResponse:
        """First what would be issued; once confirmed, a worker issues it."""
        if request.method == "POST":
            try:
                run = request_run()
            except Refusal as refusal:
                messages.error(request, refusal.message)
                return redirect("admin:billing_billingrun_changelist")
            self.log_addition(request, run, gettext("Requested."))
            messages.success(request, gettext("The billing run has been requested; its progress is shown here."))
            return redirect("admin:billing_billingrun_change", run.pk)
        return TemplateResponse(request, "admin/billing/start_run.html", self._preview(request))

    def _preview(self, request: HttpRequest) -> dict[str, Any]:
        due = Subscription.objects.due(clock.today()).count()
        preview = preview_run() if due <= PREVIEWED else None
        drafts = preview.drafts if preview else []
        return {
            **self.admin_site.each_context(request),
            "title": gettext("Start billing run"),
            "opts": self.opts,
            "back": reverse("admin:billing_billingrun_changelist"),
            "due": due,
            "is_previewed": preview is not None,
            "drafts": drafts[:SHOWN],
            "count": len(drafts),
            "more": max(0, len(drafts) - SHOWN),
            "totals": [str(Money(sum_, currency)) for currency, sum_ in sorted(preview.totals.items())]
            if preview
            else [],
            "problems": preview.problems[:SHOWN] if preview else [],
            "bills_elsewhere": settings.BILLING_BY != "live",
        }

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page reloads while the run is in progress."""
        response = super().change_view(request, object_id, *args, **kwargs)
        run = BillingRun.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if run is not None and run.finished_at is None and request.method == "GET":
            response["Refresh"] = "3"
        return response  # type: ignore[no-any-return]

    @display(description=_("state"), label={"running": "info", "finished": "success", "problems": "warning"})
    def state_shown(self, run: BillingRun) -> Label:
        """In colour."""
        if run.finished_at is None:
            return Label("running", gettext("In progress"))
        if run.problems:
            return Label("problems", gettext("Finished with problems"))
        return Label("finished", gettext("Finished"))

    @admin.display(description=_("billed of due"))
    def progress(self, run: BillingRun) -> str:
        """A bar and two numbers."""
        bar = '<progress max="{}" value="{}" class="align-middle"></progress> {} / {}'
        return format_html(bar, max(run.due, 1), min(run.billed, max(run.due, 1)), run.billed, run.due)

    @admin.display(description=_("total"))
    def totals_shown(self, run: BillingRun) -> str:
        """Including VAT, by currency."""
        return ", ".join(_amounts(run.totals)) or "–"

    @admin.display(description=_("not billed"))
    def problems_shown(self, run: BillingRun) -> str:
        """Order and reason, a line each."""
        return format_html_join("", "{}: {}<br>", run.problems) or "–"


def _amounts(totals: Mapping[str, Any]) -> list[str]:
    return [str(Money(total, currency)) for currency, total in sorted(totals.items())]
