"""Drift: what providers have that our rows do not know, what they lack, and what staff do about it."""

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
COMPARE = ConfirmedAction(
    title=_("Compare now"),
    says=_("A worker asks every provider for its list of servers, and every engine for what runs on it."),
    verb=lambda row: None,
)


@admin.register(DriftFinding)
class DriftFindingAdmin(MachineOwned, ModelAdmin):
    """Every difference, what it costs, and what can be done about it."""

    list_display = ("kind_label", "subject", "provider", "order_link", "difference", "cost_words", "since", "status")
    list_display_links = ("subject",)
    list_select_related = ("provider", "order")
    list_filter = (StateFilter, "kind", "thing", ("provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("outside_id", "key", "order__reference", "actual")
    list_per_page = 50
    show_full_result_count = False
    list_before_template = "admin/infrastructure/_drift_summary.html"
    actions = ("rebuild", "relaunch", "accept", "remove")
    actions_list = ("compare_now",)
    actions_detail = ("adopt",)
    fields = (
        ("kind", "thing", "aspect", "state"),
        ("provider", "host", "order"),
        ("key", "outside_id"),
        ("expected", "actual", "cost_words"),
        ("first_seen_at", "last_seen_at"),
        ("resolved_at", "resolved_by", "reason"),
        ("attempts", "next_attempt_at", "last_error"),
    )
    readonly_fields = tuple(name for line in fields for name in line)

    # unfold asks these with the row's id, Django without.

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may compare, accept, adopt and rebuild."""
        return request.user.has_perm("infrastructure.resolve_driftfinding")

    def has_destroy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may destroy what no order owns."""
        return request.user.has_perm("infrastructure.destroy_orphan")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list under how far each comparison is, and what is open."""
        extra = {**(extra_context or {}), "title": gettext("Drift"), **_overview()}
        return super().changelist_view(request, extra)  # type: ignore[no-any-return]

    @display(description=_("kind"), ordering="kind", label={"ghost": "danger", "orphan": "warning", "drift": "info"})
    def kind_label(self, row: DriftFinding) -> tuple[str, str]:
        """The kind in its colour."""
        return row.kind, row.get_kind_display()

    @display(description=_("what"), ordering="outside_id")
    def subject(self, row: DriftFinding) -> str:
        """The thing, and the key it carries."""
        name = row.outside_id or row.host or row.key
        return format_html(TWO_LINES, f"{row.get_thing_display()} {name}", row.key if name != row.key else "")

    @admin.display(description=_("order"), ordering="order__reference")
    def order_link(self, row: DriftFinding) -> str:
        """The order it is, or was, of."""
        if row.order is None:
            return gettext("None")
        url = reverse("admin:orders_order_change", args=(row.order_id,))
        return format_html('<a href="{}" class="gl-link">{}</a>', url, row.order.reference)

    @admin.display(description=_("what differs"))
    def difference(self, row: DriftFinding) -> str:
        """Both sides of it."""
        if row.kind == DriftFinding.Kind.GHOST:
            if row.thing == DriftFinding.Thing.COMPOSITION:
                return gettext("None of its %(ours)s containers is left.") % {"ours": row.expected}
            words = gettext("Gone at the provider.")
            other = gettext("Its key is carried by %(id)s now.") % {"id": row.actual} if row.actual else ""
            return f"{words} {other}".strip()
        if row.kind == DriftFinding.Kind.ORPHAN:
            second = gettext("A second one: the order runs on %(id)s.") % {"id": row.expected} if row.expected else ""
            told = row.actual or gettext("No order wants it.")
            return f"{second} {told}".strip()
        sides = {"aspect": row.get_aspect_display(), "ours": row.expected, "theirs": row.actual}
        return format_html("{}", gettext("%(aspect)s: ours %(ours)s, theirs %(theirs)s") % sides)

    @admin.display(description=_("monthly cost"), empty_value="")
    def cost_words(self, row: DriftFinding) -> str:
        """What it costs a month; nothing where the provider does not say."""
        return row.cost.format(get_language() or "en") if row.cost else ""

    @admin.display(description=_("first seen"), ordering="first_seen_at")
    def since(self, row: DriftFinding) -> str:
        """How long ago it was found."""
        return when(row.first_seen_at)

    @display(description=_("state"), ordering="state", label={"open": "warning", "failed": "danger", "trying": "info"})
    def status(self, row: DriftFinding) -> tuple[str, str]:
        """Open, settled, or how far its destruction is."""
        if row.state == DriftFinding.State.OPEN and row.wanted_version:
            return ("failed", gettext("Not removed")) if row.has_failed else ("trying", gettext("Being removed"))
        return row.state, row.get_state_display()

    @action(description=COMPARE.title, permissions=["settle"], icon="sync", url_path="compare")
    def compare_now(self, request: HttpRequest) -> HttpResponse:
        """Workers will compare every provider."""
        if (page := confirm(self, request, COMPARE)) is not None:
            return page
        count = request_drift_scan()
        words = ngettext("%(count)d provider is being compared.", "%(count)d providers are being compared.", count)
        messages.success(request, words % {"count": count})
        return redirect("admin:infrastructure_driftfinding_changelist")

    @admin.action(description=_("Rebuild ghosts from their releases"), permissions=("settle",))
    def rebuild(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """The orders get new servers, once that is confirmed."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Rebuild ghosts from their releases"),
            says=_(
                "Each order gets a new server with its release on it. ALL DATA ON THE LOST SERVER IS GONE: volumes "
                "start empty, and what customers had put there does not come back."
            ),
            verb=lambda row: rebuild_ghost(finding=row, why=why, actor=actor),
            is_destructive=True,
            describe=_in_a_line,
        )
        return change_rows(self, request, change, queryset)

    @admin.action(description=_("Launch compositions again"), permissions=("settle",))
    def relaunch(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """The compositions are launched from their releases again, once that is confirmed."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Launch compositions again"),
            says=_(
                "Containers that are missing, or are not those of the release, are made anew from it. "
                "Volumes are kept; the services stop answering for a moment."
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
        """The differences stay, for the reason given."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Accept"),
            says=_("These stay as they are, and are no longer counted. A reason is needed."),
            verb=lambda row: accept_finding(finding=row, why=why, actor=actor),
            describe=_in_a_line,
        )
        return change_rows(self, request, change, queryset)

    @admin.action(description=_("Remove orphans at the provider"), permissions=("destroy",))
    def remove(self, request: HttpRequest, queryset: QuerySet[DriftFinding]) -> HttpResponse | None:
        """Workers destroy exactly these, once that is confirmed."""
        actor, why = _who_and_why(request)
        change = ConfirmedAction(
            title=_("Remove orphans at the provider"),
            says=_(
                "Exactly these are destroyed at their providers, with all data on them; this cannot be undone. "
                "Whatever an order owns by then is left alone."
            ),
            verb=lambda row: remove_orphan(finding=row, why=why, actor=actor),
            is_destructive=True,
            describe=_in_a_line,
        )
        return change_rows(self, request, change, queryset)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only an orphan that is a server can be adopted."""
        row = self.get_object(request, str(object_id))
        fits = row is not None and (row.kind, row.thing, row.state) == ("orphan", "server", "open")
        return super().get_actions_detail(request, object_id) if fits else []

    @action(description=_("Adopt"), icon="link", permissions=("settle", "view"), url_path="adopt")
    def adopt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An order that got no server takes this one."""
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
                words = gettext("Order %(order)s takes the server; it is being set up.") % {"order": order}
                messages.success(request, words)
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Adopt"),
            "opts": self.opts,
            "original": row,
            "words": _in_a_line(row),
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "admin/infrastructure/driftfinding/adopt.html", context)


@admin.register(DriftScan)
class DriftScanAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """When each provider was compared last, and why not."""

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
    """How far the comparisons are, and what is open: three queries."""
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
        "comparisons": [(row, status_label(row), when(row.finished_at)) for row in rows],
        "counts": counts,
        "some_open": any(counts.values()),
        "orphans_cost": [Money(cost, currency).format(locale) for currency, cost in sorted(costs.items())],
    }


def _who_and_why(request: HttpRequest) -> tuple[User, str]:
    return request.user, request.POST.get("why", "")  # type: ignore[return-value]


def _in_a_line(row: DriftFinding) -> str:
    told = [row.get_kind_display(), f"{row.get_thing_display()} {row.outside_id}".strip(), row.key, str(row.provider)]
    told += [row.order.reference] if row.order else []
    return " · ".join(str(one) for one in told)
