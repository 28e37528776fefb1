"""How staff see what customers were told."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from core.admin.confirmed_actions import Change, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsPersonFilter, ResourceColumns
from customers.models import Message
from customers.services import resend_message

RESEND = Change(
    title=_("Send again"),
    says=_("These messages go to the mail server once more. Only messages that failed are sent again."),
    verb=lambda message: resend_message(message=message),
)


@admin.register(Message)
class MessageAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """One row per mail: written with the news it tells, sent by a worker."""

    list_display = (
        *("subject", "customer", "shown_to", "shown_standing", "sent_at", "attempts", "last_error", "next_attempt"),
    )
    list_filter = (NeedsPersonFilter, "sent_at")
    list_select_related = ("customer",)
    search_fields = ("subject", "key", "customer__name", "customer__number")
    show_full_result_count = False
    actions = ("send_again",)
    fields = (
        *("subject", "customer", "shown_to", "standing_words", "shown_text", "shown_attachments", "key", "created_at"),
        *("sent_at", "attempts", "last_error", "next_attempt"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """The rows without their texts where they are not shown."""
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows if request.resolver_match and request.resolver_match.kwargs else rows.defer("text", "html")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whoever may change customers may have their mail sent again."""
        return request.user.has_perm("customers.change_customer")

    @display(description=_("to"))
    def shown_to(self, message: Message) -> str:
        """The addresses."""
        return ", ".join(message.to)

    @display(
        description=_("state"),
        ordering="sent_at",
        label={"failed": "danger", "sent": "success", "waiting": "info"},
    )
    def shown_standing(self, message: Message) -> tuple[str, str]:
        """Sent, on its way, or in need of a person; in a colour."""
        if message.has_failed:
            return "failed", gettext("Failed")
        return ("sent", gettext("Sent")) if message.sent_at else ("waiting", gettext("On its way"))

    @display(description=_("state"))
    def standing_words(self, message: Message) -> str:
        """The same in words."""
        return str(self.shown_standing(message)[1])

    @display(description=_("text"))
    def shown_text(self, message: Message) -> str:
        """The mail's plain text."""
        return format_html('<div style="white-space: pre-wrap">{}</div>', message.text)

    @display(description=_("attachments"))
    def shown_attachments(self, message: Message) -> str:
        """The names of the files."""
        return ", ".join(item["name"] for item in message.attachments) or gettext("None.")

    @action(description=_("Send selected messages again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Message]) -> TemplateResponse | None:
        """What failed is tried again, once confirmed."""
        return change_rows(self, request, RESEND, rows)
