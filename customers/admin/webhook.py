"""Webhooks and their deliveries in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns
from customers.choices import selectable_events
from customers.models import EventDelivery, Webhook
from customers.webhooks.services import (
    WebhookRefused,
    change_webhook,
    check_url,
    create_webhook,
    replay,
    rotate_secret,
    send_test,
)

TEST = ConfirmedAction(
    title=_("Send a test"),
    says=_("A test event is sent to each of these webhooks once. The result is in the list of deliveries."),
    verb=lambda webhook: send_test(webhook=webhook),
)
REPLAY = ConfirmedAction(
    title=_("Send failed deliveries again"),
    says=_("Every delivery of these webhooks that failed for good is sent again."),
    verb=lambda webhook: replay(webhook=webhook),
)
REPLAY_ONE = ConfirmedAction(
    title=_("Send again"),
    says=_("These events are sent again, with the same ID. Only failed deliveries can be sent again."),
    verb=lambda delivery: replay(webhook=delivery.webhook, deliveries=[delivery.pk]),
)
ROTATE = ConfirmedAction(
    title=_("Rotate the secret"),
    says=_(
        "Each of these webhooks gets a new secret. For 24 hours messages are signed with both; after that only the new "
        "secret is valid."
    ),
    verb=lambda webhook: rotate_secret(webhook=webhook),
    is_destructive=True,
)


class WebhookForm(forms.ModelForm[Webhook]):
    """What staff enter of a webhook; its secret is made."""

    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=selectable_events,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None selected: every event."),
    )

    class Meta:
        model = Webhook
        fields = ("name", "customer", "url", "events", "is_active")

    def clean_url(self) -> str:
        """An address to which events may be sent."""
        url: str = self.cleaned_data["url"]
        try:
            check_url(url)
        except WebhookRefused as refused:
            raise forms.ValidationError(refused.message) from refused
        return url


@admin.register(Webhook)
class WebhookAdmin(ModelAdmin):
    """The addresses that are sent events, of customers and of our own systems."""

    form = WebhookForm
    list_display = ("name", "owner", "url", "state_badge", "failing_since", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("customer",)
    search_fields = ("name", "url", "customer__name", "customer__number")
    autocomplete_fields = ("customer",)
    readonly_fields = ("state_badge", "inactive_reason", "failing_since", "created_by", "created_at")
    show_full_result_count = False
    actions = ("test", "replay_failed", "rotate")

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        """What can be entered; of a webhook that exists, also how it is."""
        fields = ("name", "customer", "url", "events")
        return fields if obj is None else (*fields, "is_active", *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        """A webhook keeps its customer: what was sent to it belongs to that customer."""
        return self.readonly_fields if obj is None else ("customer", *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """The webhook is registered or changed; the secret of a new one is shown, this once."""
        values = {"name": obj.name, "url": obj.url, "events": form.cleaned_data["events"]}
        if change:
            is_active = obj.is_active if "is_active" in form.changed_data else None
            change_webhook(webhook=obj, is_active=is_active, **values)
            return
        row = create_webhook(customer=obj.customer, actor=request.user, **values)  # type: ignore[arg-type]
        obj.__dict__.update(row.__dict__)
        message = gettext("Copy the secret now, it is not shown again: {}")
        self.message_user(request, format_html(message, row.secret), messages.WARNING)

    @display(description=_("customer"), ordering="customer")
    def owner(self, webhook: Webhook) -> str:
        """Whose events are sent."""
        return str(webhook.customer or gettext("All customers"))

    @display(description=_("state"), label={"active": "success", "failing": "warning", "off": "danger"})
    def state_badge(self, webhook: Webhook) -> Label:
        """Active, failing, or switched off, in its colour."""
        if not webhook.is_active:
            return Label("off", gettext("Switched off"))
        return Label("failing", gettext("Failing")) if webhook.failing_since else Label("active", gettext("Active"))

    @action(description=_("Send a test to selected webhooks"), permissions=["change"])
    def test(self, request: HttpRequest, rows: QuerySet[Webhook]) -> TemplateResponse | None:
        """A test event is sent, once confirmed."""
        return change_rows(self, request, TEST, rows)

    @action(description=_("Send failed deliveries of selected webhooks again"), permissions=["change"])
    def replay_failed(self, request: HttpRequest, rows: QuerySet[Webhook]) -> TemplateResponse | None:
        """What failed for good is sent again, once confirmed."""
        return change_rows(self, request, REPLAY, rows)

    @action(description=_("Rotate the secret of selected webhooks"), permissions=["change"])
    def rotate(self, request: HttpRequest, rows: QuerySet[Webhook]) -> TemplateResponse | None:
        """Each has a new secret, once confirmed; they are shown, this once."""
        pks = list(rows.values_list("pk", flat=True))
        page = change_rows(self, request, ROTATE, rows)
        if page is None:
            for webhook in Webhook.objects.filter(pk__in=pks):
                message = gettext("New secret of {}; copy it now, it is not shown again: {}")
                self.message_user(request, format_html(message, webhook, webhook.secret), messages.WARNING)
        return page


@admin.register(EventDelivery)
class EventDeliveryAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """The log of what was sent to webhooks; kept for 30 days."""

    list_display = (
        *("kind", "webhook", "owner", "state_badge", "status_code", "tries", "occurred_at", "delivered_at"),
        *("last_error", "next_attempt"),
    )
    list_filter = (NeedsAttentionFilter, "kind")
    list_select_related = ("webhook__customer",)
    search_fields = ("event_id", "webhook__name", "webhook__customer__number")
    show_full_result_count = False
    actions = ("send_again",)
    fields = (
        *("kind", "webhook", "owner", "state_badge", "event_id", "body", "occurred_at", "delivered_at", "tries"),
        *("status_code", "seconds", "last_error", "next_attempt"),
    )
    readonly_fields = fields

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Staff who may change webhooks."""
        return request.user.has_perm("customers.change_webhook")

    @display(description=_("state"), label={"failed": "danger", "delivered": "success", "waiting": "info"})
    def state_badge(self, delivery: EventDelivery) -> Label:
        """Delivered, waiting, or failed, in its colour."""
        if delivery.has_failed:
            return Label("failed", gettext("Failed"))
        return (
            Label("delivered", gettext("Delivered"))
            if delivery.is_settled
            else Label("waiting", gettext("Waiting to be sent"))
        )

    @display(description=_("customer"))
    def owner(self, delivery: EventDelivery) -> str:
        """Whose webhook it is."""
        return str(delivery.webhook.customer or gettext("All customers"))

    @action(description=_("Send selected deliveries again"), permissions=["replay"])
    def send_again(self, request: HttpRequest, rows: QuerySet[EventDelivery]) -> TemplateResponse | None:
        """Failed deliveries are sent again, once confirmed."""
        return change_rows(self, request, REPLAY_ONE, rows.select_related("webhook"))
