"""Invitations in the admin: sent again, or revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned
from customers.invitations.services import resend_invitation, revoke_invitation
from customers.models import Invitation

COLOURS = {"open": "info", "expired": "warning", "accepted": "success", "revoked": ""}


@admin.register(Invitation)
class InvitationAdmin(MachineOwned, ModelAdmin):
    """Who was invited to which customer, and whether they came."""

    list_display = ("email", "customer", "role", "shown_state", "invited_by", "sent_at", "expires_at")
    list_filter = ("role", ("accepted_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("customer", "invited_by")
    search_fields = ("email", "customer__name", "customer__number")
    show_full_result_count = False
    actions = ("send_again", "revoke")
    fields = (
        *("email", "customer", "role", "shown_state", "invited_by", "sent_at", "link_version", "expires_at"),
        *("accepted_at", "accepted_by", "revoked_at", "created_at"),
    )
    readonly_fields = fields

    def has_invite_permission(self, request: HttpRequest) -> bool:
        """Staff who may say who belongs to a customer."""
        return request.user.has_perm("customers.add_membership")

    @display(description=_("state"), label=COLOURS)
    def shown_state(self, invitation: Invitation) -> Label:
        """The state in a colour."""
        return Label(invitation.state.value, str(invitation.state.label))

    @action(description=_("Send selected invitations again"), permissions=["invite"])
    def send_again(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> TemplateResponse | None:
        """The people get new links, once confirmed."""
        return change_rows(self, request, _action(request, _("Send again"), resend_invitation), invitations)

    @action(description=_("Revoke selected invitations"), permissions=["invite"])
    def revoke(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> TemplateResponse | None:
        """The links no longer work, once confirmed."""
        return change_rows(self, request, _action(request, _("Revoke"), revoke_invitation), invitations)


def _action(request: HttpRequest, title: Any, verb: Any) -> ConfirmedAction:
    says = {
        resend_invitation: _("Each person gets a new link; links sent before no longer work."),
        revoke_invitation: _("The links of these invitations no longer work."),
    }[verb]
    return ConfirmedAction(
        title=title, says=says, verb=lambda invitation: verb(invitation=invitation, actor=request.user)
    )
