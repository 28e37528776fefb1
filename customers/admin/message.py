"""Mail to customers in the admin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns
from core.errors import PermanentError
from customers.bounces.services import confirm_address
from customers.mail_rendering import render_mail
from customers.models import Bounce, MailAddress, Message
from customers.services import resend_message

LAST_BOUNCES = 20

RESEND = ConfirmedAction(
    title=_("Send again"),
    says=_("These messages are sent once more, as they were and to the same addresses."),
    verb=lambda message: resend_message(message=message),
)

CONFIRM = ConfirmedAction(
    title=_("Send mail again"),
    says=_("Make sure that these addresses work. Mail is sent to them again, and earlier bounces no longer count."),
    verb=lambda address: confirm_address(address=address),
)


class BounceInline(MachineOwned, TabularInline):
    """The addresses that the message did not reach, and why."""

    model = Bounce
    extra = 0
    fields = readonly_fields = ("address", "kind", "status", "detail", "created_at")


class CameBackFilter(admin.SimpleListFilter):
    """Messages that did not reach an address."""

    title = _("bounces")
    parameter_name = "bounced"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The filter's choices."""
        return (("yes", _("Came back")),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """The matching rows."""
        return queryset.filter(bounced_at__isnull=False) if self.value() == "yes" else queryset


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
    list_filter = (NeedsAttentionFilter, CameBackFilter, "kind", "sent_at")
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
        *("sent_at", "bounced_at", "attempts", "last_error", "next_attempt"),
    )
    readonly_fields = fields
    inlines = (BounceInline,)

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
        label={"failed": "danger", "bounced": "danger", "sent": "success", "waiting": "info"},
    )
    def state_badge(self, message: Message) -> tuple[str, str]:
        """Sent, waiting, came back, or failed, in its colour."""
        if message.has_failed:
            return "failed", gettext("Failed")
        if message.sent_at and message.bounced_at:
            return "bounced", gettext("Came back")
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


class StoppedFilter(admin.SimpleListFilter):
    """Addresses that no mail is sent to."""

    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The filter's choices."""
        return (("stopped", _("Stopped")), ("sent", _("Sent")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[MailAddress]) -> QuerySet[MailAddress]:
        """The matching rows."""
        if self.value() is None:
            return queryset
        return queryset.filter(stopped_at__isnull=self.value() == "sent")


@admin.register(MailAddress)
class MailAddressAdmin(MachineOwned, ModelAdmin):
    """Addresses that mail came back from; staff confirm those that work again."""

    list_display = ("address", "mail", "last_bounced_at", "stopped_at", "confirmed_at")
    list_filter = (StoppedFilter,)
    search_fields = ("address",)
    show_full_result_count = False
    actions = ("send_mail_again",)
    fields = readonly_fields = ("address", "last_bounced_at", "stopped_at", "confirmed_at", "last_bounces")

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        """Staff who may change customers."""
        return request.user.has_perm("customers.change_customer")

    @display(description=_("mail"), ordering="stopped_at", label={"stopped": "danger", "sent": "success"})
    def mail(self, address: MailAddress) -> tuple[str, str]:
        """Whether mail is sent to the address."""
        return ("stopped", gettext("Stopped")) if address.stopped_at else ("sent", gettext("Sent"))

    @display(description=_("last bounces"))
    def last_bounces(self, address: MailAddress) -> str:
        """The last messages that came back, as links."""
        bounces = Bounce.objects.filter(address=address.address).select_related("message")[:LAST_BOUNCES]
        rows = [
            (reverse("admin:customers_message_change", args=(row.message_id,)), row.message, row.status, row.detail)
            for row in bounces
        ]
        return format_html_join("", '<p><a href="{}">{}</a><br>{} {}</p>', rows)

    @action(description=_("Send mail to selected addresses again"), permissions=["confirm"])
    def send_mail_again(self, request: HttpRequest, rows: QuerySet[MailAddress]) -> TemplateResponse | None:
        """Mail is sent to the addresses again, once confirmed."""
        return change_rows(self, request, CONFIRM, rows)
