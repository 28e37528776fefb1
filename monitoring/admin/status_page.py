"""How staff create status pages, and renew and revoke their links."""

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
    title=_("Renew link"),
    says=_("The page gets a new link. The present link stops working."),
    verb=lambda page: renew_link(customer=page.customer),
    is_destructive=True,
)
REVOKE = ConfirmedAction(
    title=_("Revoke link"),
    says=_("The present link stops working. The page is closed until its link is renewed."),
    verb=lambda page: revoke_link(page=page),
    is_destructive=True,
)


@admin.register(StatusPage)
class StatusPageAdmin(ModelAdmin):
    """The list and form of status pages."""

    list_display = ("customer", "link", "renewed_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name", "customer__number")
    search_help_text = _("Customer")
    show_full_result_count = False
    autocomplete_fields = ("customer",)
    actions = ("renew", "revoke")

    def get_fields(self, request: HttpRequest, obj: StatusPage | None = None) -> tuple[str, ...]:
        """The customer of a new page; afterwards its link too."""
        return ("customer", "link", "renewed_at") if obj else ("customer",)

    def get_readonly_fields(self, request: HttpRequest, obj: StatusPage | None = None) -> tuple[str, ...]:
        """All but the customer of a new page."""
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: StatusPage | None = None) -> bool:
        """Never: links change by actions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StatusPage | None = None) -> bool:
        """Never: links are revoked."""
        return False

    def save_model(self, request: HttpRequest, obj: StatusPage, form: Any, change: bool) -> None:
        """The service makes the link."""
        obj.pk = renew_link(customer=obj.customer).pk

    @admin.display(description=_("link"))
    def link(self, page: StatusPage) -> str:
        return format_html('<a href="{0}">{0}</a>', page.url) if page.url else "–"

    def has_renew_permission(self, request: HttpRequest) -> bool:
        """Staff who may create a page may renew its link."""
        return bool(request.user.has_perm("monitoring.add_statuspage"))

    @admin.action(description=_("Renew link"), permissions=("renew",))
    def renew(self, request: HttpRequest, rows: QuerySet[StatusPage]) -> TemplateResponse | None:
        """After a confirmation."""
        return change_rows(self, request, RENEW, rows)

    @admin.action(description=_("Revoke link"), permissions=("renew",))
    def revoke(self, request: HttpRequest, rows: QuerySet[StatusPage]) -> TemplateResponse | None:
        """After a confirmation."""
        return change_rows(self, request, REVOKE, rows)
