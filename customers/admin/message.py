"""Mail to customers in the admin."""

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

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns
from core.errors import PermanentError
from customers.mail_rendering import render_mail
from customers.models import Message
from customers.services import resend_message

RESEND = ConfirmedAction(
    title=_("Send again"),
    says=_("These messages are sent once more, as they were and to the same addresses."),
    verb=lambda message: resend_message(message=message),
)


@admin.register(Message)
class MessageAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """One row per mail: written with the change it is about, sent by a worker."""

    list_display = (
        *(
            "subject_label",
            "customer",
            "recipients",
            "state_badge",
            "sent_at",
            "attempts",
            "last_error",
            "next_attempt",
        ),
    )
    list_filter = (NeedsAttentionFilter, "kind", "sent_at")
    list_select_related = ("customer",)
    search_fields = ("subject", "key", "customer__name", "customer__number")
    show_full_result_count = False
    actions = ("send_again",)
    fields = (
        *(
            "subject_label",
            "kind",
            "customer",
            "recipients",
            "state_label",
            "body",
            "attachment_names",
            "key",
            "created_at",
        ),
        *("sent_at", "attempts", "last_error", "next_attempt"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """The rows without their texts where they are not shown."""
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows if request.resolver_match and request.resolver_match.kwargs else rows.defer("text", "html")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Staff who may change customers."""
        return request.user.has_perm("customers.change_customer")

    @display(description=_("subject"), ordering="subject")
    def subject_label(self, message: Message) -> str:
        """The subject; what the mail is about until it is rendered."""
        return str(message)

    @display(description=_("to"))
    def recipients(self, message: Message) -> str:
        """The addresses."""
        return ", ".join(message.to)

    @display(
        description=_("state"),
        ordering="sent_at",
        label={"failed": "danger", "sent": "success", "waiting": "info"},
    )
    def state_badge(self, message: Message) -> tuple[str, str]:
        """Sent, waiting, or failed, in its colour."""
        if message.has_failed:
            return "failed", gettext("Failed")
        return ("sent", gettext("Sent")) if message.sent_at else ("waiting", gettext("Waiting to be sent"))

    @display(description=_("state"))
    def state_label(self, message: Message) -> str:
        """The state without its colour."""
        return str(self.state_badge(message)[1])

    @display(description=_("text"))
    def body(self, message: Message) -> str:
        """The mail's plain text: as it was sent, or as it would be sent now."""
        try:
            text = render_mail(message).text
        except PermanentError as error:
            text = str(error)
        return format_html('<div style="white-space: pre-wrap">{}</div>', text)

    @display(description=_("attachments"))
    def attachment_names(self, message: Message) -> str:
        """The names of the files."""
        return ", ".join(item["name"] for item in message.attachments) or gettext("None.")

    @action(description=_("Send selected messages again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Message]) -> TemplateResponse | None:
        """Messages that were sent or refused are sent again, once confirmed."""
        return change_rows(self, request, RESEND, rows)
