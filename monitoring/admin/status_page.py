"""How staff hand out the link of a status page, renew it, and take it back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from monitoring.models import StatusPage
from monitoring.status_pages.services import renew_link, revoke_link

RENEW = ConfirmedAction(
    title=_("Renew the link"),
    says=_("The page gets a new link. Whoever has the present one sees nothing any more."),
    verb=lambda page: renew_link(customer=page.customer),
    is_destructive=True,
)
REVOKE = ConfirmedAction(
    title=_("Take the link back"),
    says=_("Nobody sees the page any more, until its link is renewed."),
    verb=lambda page: revoke_link(page=page),
    is_destructive=True,
)


@admin.register(StatusPage)
class StatusPageAdmin(ModelAdmin):
    """One line per customer with a page."""

    list_display = ("customer", "link", "renewed_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__number")
    search_help_text = _("Customer")
    show_full_result_count = False
    autocomplete_fields = ("customer",)
    actions = ("renew", "revoke")

    def get_fields(self, request: HttpRequest, obj: StatusPage | None = None) -> tuple[str, ...]:
        """A customer to begin with; afterwards the link too."""
        return ("customer", "link", "renewed_at") if obj else ("customer",)

    def get_readonly_fields(self, request: HttpRequest, obj: StatusPage | None = None) -> tuple[str, ...]:
        """All but the customer of a new page."""
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: StatusPage | None = None) -> bool:
        """Never: links move by actions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StatusPage | None = None) -> bool:
        """Never: a link is taken back."""
        return False

    def save_model(self, request: HttpRequest, obj: StatusPage, form: Any, change: bool) -> None:
        """The service makes the link."""
        obj.pk = renew_link(customer=obj.customer).pk

    @admin.display(description=_("link"))
    def link(self, page: StatusPage) -> str:
        """What is handed out."""
        return format_html('<a href="{0}">{0}</a>', page.url) if page.url else "–"

    def has_renew_permission(self, request: HttpRequest) -> bool:
        """Whoever may make a page may renew its link."""
        return bool(request.user.has_perm("monitoring.add_statuspage"))

    @admin.action(description=_("Renew the link"), permissions=("renew",))
    def renew(self, request: HttpRequest, rows: QuerySet[StatusPage]) -> TemplateResponse | None:
        """After a confirmation."""
        return change_rows(self, request, RENEW, rows)

    @admin.action(description=_("Take the link back"), permissions=("renew",))
    def revoke(self, request: HttpRequest, rows: QuerySet[StatusPage]) -> TemplateResponse | None:
        """After a confirmation."""
        return change_rows(self, request, REVOKE, rows)
