"""Drift: findings, drift scans, and the actions of staff on them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, Count, Q, QuerySet, Sum, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows, confirm
from core.admin.read_only_rows import MachineOwned, ResourceColumns, status_label, when
from core.errors import Refusal
from core.money import Money
from customers.models import User
from infrastructure.admin.drift_filters import AdoptForm, StateFilter
from infrastructure.drift.services import (
    accept_finding,
    adopt_orphan,
    adopters_of,
    rebuild_ghost,
    recreate,
    remove_orphan,
    request_drift_scan,
)
from infrastructure.models import DriftFinding, DriftScan

TWO_LINES = '<span class="gl-two"><b>{}</b><small>{}</small></span>'
SCAN = ConfirmedAction(
    title=_("Scan now"),
    says=_("Workers list the servers of every provider, and query every engine for what runs on it."),
    verb=lambda row: None,
)


@admin.register(DriftFinding)
class DriftFindingAdmin(MachineOwned, ModelAdmin):
    """Findings with their cost, and the actions to resolve them."""

    list_display = ("kind_label", "subject", "provider", "order_link", "difference", "cost", "since", "status")
    list_display_links = ("subject",)
    list_select_related = ("provider", "order")
    list_filter = (StateFilter, "kind", "thing", ("provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("outside_id", "key", "order__reference", "actual")
    list_per_page = 50
    show_full_result_count = False
    list_before_template = "admin/infrastructure/_drift_summary.html"
    actions = ("rebuild", "relaunch", "accept", "remove")
    actions_list = ("scan_now",)
    actions_detail = ("adopt",)
    fields = (
        ("kind", "thing", "aspect", "state"),
        ("provider", "host", "order"),
        ("key", "outside_id"),
        ("expected", "actual", "cost"),
        ("first_seen_at", "last_seen_at"),
        ("resolved_at", "resolved_by", "reason"),
        ("attempts", "next_attempt_at", "last_error"),
    )
    readonly_fields = tuple(name for line in fields for name in line)

    # unfold asks these with the row's id, Django without.

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Scanning, accepting, adopting and rebuilding are one permission."""
        return request.user.has_perm("infrastructure.resolve_driftfinding")

    def has_destroy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Removing orphans is a permission of its own: it destroys data."""
        return request.user.has_perm("infrastructure.destroy_orphan")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, below the open findings and the last scan of each provider."""
        extra = {**(extra_context or {}), "title": gettext("Drift"), **_overview()}
        return super().changelist_view(request, extra)  # type: ignore[no-any-return]

    @display(description=_("kind"), ordering="kind", label={"ghost": "danger", "orphan": "warning", "drift": "info"})
    def kind_label(self, row: DriftFinding) -> tuple[str, str]:
        """The kind as a coloured label."""
        return row.kind, row.get_kind_display()

    @display(description=_("resource"), ordering="outside_id")
    def subject(self, row: DriftFinding) -> str:
        """The resource, and its key."""
        name = row.outside_id or row.host or row.key
        return format_html(TWO_LINES, f"{row.get_thing_display()} {name}", row.key if name != row.key else "")

    @admin.display(description=_("order"), ordering="order__reference")
    def order_link(self, row: DriftFinding) -> str:
        """A link to the order that owns or owned it."""
        if row.order is None:
            return gettext("None")
        url = reverse("admin:orders_order_change", args=(row.order_id,))
        return format_html('<a href="{}" class="gl-link">{}</a>', url, row.order.reference)

    @admin.display(description=_("difference"))
    def difference(self, row: DriftFinding) -> str:
        """What was expected, and what exists."""
        if row.kind == DriftFinding.Kind.GHOST:
            if row.thing == DriftFinding.Thing.COMPOSITION:
                return gettext("None of its %(count)s containers exists.") % {"count": row.expected}
            missing = gettext("Not listed by the provider.")
            other = gettext("Server %(id)s has its key now.") % {"id": row.actual} if row.actual else ""
            return f"{missing} {other}".strip()
        if row.kind == DriftFinding.Kind.ORPHAN:
            second = gettext("A second server: the order uses %(id)s.") % {"id": row.expected} if row.expected else ""
            return f"{second} {row.actual or gettext('Does not belong to an order.')}".strip()
        sides = {"aspect": row.get_aspect_display(), "expected": row.expected, "actual": row.actual}
        return format_html("{}", gettext("%(aspect)s: expected %(expected)s, found %(actual)s") % sides)

    @admin.display(description=_("monthly cost"), empty_value="")
    def cost(self, row: DriftFinding) -> str:
        """The monthly cost; empty where the price is unknown."""
        return row.cost.format(get_language() or "en") if row.cost else ""

    @admin.display(description=_("first seen"), ordering="first_seen_at")
    def since(self, row: DriftFinding) -> str:
        """How long ago it was first found."""
        return when(row.first_seen_at)

    @display(description=_("state"), ordering="state", label={"open": "warning", "failed": "danger", "trying": "info"})
    def status(self, row: DriftFinding) -> tuple[str, str]:
        """The state, or the progress of its removal."""
        if row.state == DriftFinding.State.OPEN and row.wanted_version:
            return ("failed", gettext("Not removed")) if row.has_failed else ("trying", gettext("Being removed"))
        return row.state, row.get_state_display()

    @action(description=SCAN.title, permissions=["settle"], icon="sync", url_path="scan")
    def scan_now(self, request: HttpRequest) -> HttpResponse:
        """After confirmation, workers scan every provider."""
        if (page := confirm(self, request, SCAN)) is not None:
            return page
        count = request_drift_scan()
        message = ngettext("Scanning %(count)d provider.", "Scanning %(count)d providers.", count)
        messages.success(request, message % {"count": count})
        return redirect("admin:infrastructure_driftfinding_changelist")

    @admin.action(description=_("Rebuild lost servers"), permissions=("settle",))
    def rebuild(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """After confirmation, the orders get new servers."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Rebuild lost servers"),
            says=_(
                "Each order gets a new server with its release on it. ALL DATA ON THE LOST SERVER IS GONE: volumes "
                "start empty, and customers' data is not restored."
            ),
            verb=lambda row: rebuild_ghost(finding=row, why=why, actor=actor),
            is_destructive=True,
            describe=_in_a_line,
        )
        return change_rows(self, request, change, queryset)

    @admin.action(description=_("Launch compositions again"), permissions=("settle",))
    def relaunch(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """After confirmation, the compositions are launched again from their releases."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Launch compositions again"),
            says=_(
                "Containers that are missing, or differ from the release, are created again from it. Volumes are kept; "
                "the services are interrupted for a moment."
            ),
            verb=lambda row: recreate(finding=row, why=why, actor=actor),
            describe=_in_a_line,
        )
        rows = queryset.exclude(kind=DriftFinding.Kind.ORPHAN).exclude(
            kind=DriftFinding.Kind.GHOST, thing=DriftFinding.Thing.SERVER
        )
        return change_rows(self, request, change, rows)

    @admin.action(description=_("Accept"), permissions=("settle",))
    def accept(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """After confirmation, the findings are accepted for the given reason."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Accept"),
            says=_("The findings no longer count as open; nothing changes at the provider. A reason is required."),
            verb=lambda row: accept_finding(finding=row, why=why, actor=actor),
            describe=_in_a_line,
        )
        return change_rows(self, request, change, queryset)

    @admin.action(description=_("Remove orphans at the provider"), permissions=("destroy",))
    def remove(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """After confirmation, workers remove exactly these orphans."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Remove orphans at the provider"),
            says=_(
                "Exactly these are destroyed at their providers, with all data on them. This cannot be undone. "
                "Anything that belongs to an order by then is not removed."
            ),
            verb=lambda row: remove_orphan(finding=row, why=why, actor=actor),
            is_destructive=True,
            describe=_in_a_line,
        )
        return change_rows(self, request, change, queryset)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The button to adopt, for servers only."""
        row = self.get_object(request, str(object_id))
        fits = row is not None and (row.kind, row.thing, row.state) == ("orphan", "server", "open")
        return super().get_actions_detail(request, object_id) if fits else []

    @action(description=_("Adopt"), icon="link", permissions=("settle", "view"), url_path="adopt")
    def adopt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page to choose the order that adopts the server."""
        row: DriftFinding | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        back = reverse("admin:infrastructure_driftfinding_changelist")
        form = AdoptForm(request.POST if request.method == "POST" else None, orders=adopters_of(row))
        if request.method == "POST" and form.is_valid():
            order = form.cleaned_data["order"]
            try:
                adopt_orphan(finding=row, order=order, actor=request.user)  # type: ignore[arg-type]
            except Refusal as refusal:
                messages.error(request, refusal.message)
            else:
                self.log_change(request, row, gettext("Adopted by %(order)s.") % {"order": order})
                message = gettext("Adopted by order %(order)s; setting it up.") % {"order": order}
                messages.success(request, message)
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Adopt"),
            "opts": self.opts,
            "original": row,
            "finding": _in_a_line(row),
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/infrastructure/driftfinding/adopt.html", context)


@admin.register(DriftScan)
class DriftScanAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """The last drift scan of each provider, with its error."""

    list_display = (
        "provider",
        "status",
        "started_at",
        "finished_at",
        "servers_seen",
        "compositions_seen",
        "last_error",
    )
    list_select_related = ("provider",)
    show_full_result_count = False


def _overview() -> dict[str, Any]:
    """The last scan of each provider, and the open findings, in three queries."""
    rows = DriftScan.objects.select_related("provider")
    is_open = DriftFinding.objects.filter(state=DriftFinding.State.OPEN).order_by()
    counts = is_open.aggregate(**{kind: Count("pk", filter=Q(kind=kind)) for kind in DriftFinding.Kind.values})
    costs: dict[str, Decimal] = defaultdict(Decimal)
    priced = is_open.filter(kind=DriftFinding.Kind.ORPHAN, monthly_cost__isnull=False)
    of_each = priced.annotate(of=Case(When(currency="", then="provider__currency"), default="currency"))
    for currency, cost in of_each.values_list("of").annotate(Sum("monthly_cost")):
        costs[currency] += cost
    locale = get_language() or "en"
    return {
        "scans": [(row, status_label(row), when(row.finished_at)) for row in rows],
        "counts": counts,
        "has_open": any(counts.values()),
        "orphans_cost": [Money(cost, currency).format(locale) for currency, cost in sorted(costs.items())],
    }


def _who_and_why(request: HttpRequest) -> tuple[User, str]:
    return request.user, request.POST.get("why", "")  # type: ignore[return-value]


def _in_a_line(row: DriftFinding) -> str:
    facts = [row.get_kind_display(), f"{row.get_thing_display()} {row.outside_id}".strip(), row.key, row.provider]
    facts += [row.order.reference] if row.order else []
    return " · ".join(map(str, facts))
