"""How staff give programs a key, and take it back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core import clock
from customers.admin.forms import TokenForm
from customers.models import ApiToken
from customers.services import issue_token


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Programs' keys: shown once, kept as a hash, revoked by deleting them."""

    form = TokenForm
    list_display = ("name", "user", "shown_validity", "shown_scopes", "customer", "token_key", "expiry", "last_used_at")
    list_select_related = ("user", "customer")
    search_fields = ("name", "token_key", "user__username", "user__email")
    autocomplete_fields = ("user", "customer")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """What can be said of a new token; of one that is there, what is known."""
        if obj is None:
            return ("user", "name", "scopes", "customer", "networks", "expiry")
        limits = ("shown_scopes", "customer", "shown_networks")
        return ("user", "name", "token_key", *limits, "created", "expiry", "last_used_at")

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, **kwargs: Any) -> Any:
        """The form knows who asks."""
        form = super().get_form(request, obj, **kwargs)
        return type("AskedTokenForm", (form,), {"asker": request.user})

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Never: a token is made and revoked."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """The token is there; its key is shown this once."""
        row, key = issue_token(
            user=obj.user,
            name=obj.name,
            expires_at=obj.expiry,
            scopes=obj.scopes,
            customer=obj.customer,
            networks=obj.networks,
        )
        obj.__dict__.update(row.__dict__)
        message = gettext("Copy this token now, it is not shown again: {}")
        self.message_user(request, format_html(message, key), messages.WARNING)

    @display(description=_("scopes"))
    def shown_scopes(self, token: ApiToken) -> str:
        """What it may be used for."""
        return ", ".join(token.scopes)

    @display(description=_("allowed networks"))
    def shown_networks(self, token: ApiToken) -> str:
        """From where it may be used."""
        return ", ".join(token.networks) or gettext("Anywhere")

    @display(description=_("valid"), label={"valid": "success", "expired": "danger"})
    def shown_validity(self, token: ApiToken) -> tuple[str, str]:
        """Whether it still opens anything."""
        if token.expiry is not None and token.expiry <= clock.now():
            return "expired", gettext("Expired")
        return "valid", gettext("Valid")
