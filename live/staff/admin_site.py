"""Pages that other packages brought to the admin, dressed like ours and made safe to look at."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from core.admin.read_only_rows import MachineOwned

# The queue is moved by workers and the schedules by the deploy: a person only looks. A task sent again by hand would
# find nothing to do, as the rows decide; the sweep asks again for whatever is due.
WATCHED = ("django_q.Schedule", "django_q.Success", "django_q.Failure", "django_q.OrmQ")


def dress(label: str, **attributes: Any) -> None:
    """The page of `app.Model` has our theme, and nobody adds, changes or deletes there."""
    model = apps.get_model(label)
    theirs = type(admin.site.get_model_admin(model))
    admin.site.unregister(model)
    admin.site.register(model, type(theirs.__name__, (MachineOwned, theirs, ModelAdmin), attributes))


for label in WATCHED:
    dress(label, actions=(), show_full_result_count=False)


class LostDevices(MachineOwned):
    """A lost device's authenticator is deleted here; its secret is never shown."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may let somebody in again whose device is lost."""
        return request.user.has_perm("mfa.delete_authenticator")


class AuthenticatorAdmin(LostDevices, ModelAdmin):
    """The second factors of people who sign in."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__username", "user__email")
    fields = ("user", "type", "created_at", "last_used_at")
    show_full_result_count = False


authenticator = apps.get_model("mfa.Authenticator")
admin.site.unregister(authenticator)
admin.site.register(authenticator, AuthenticatorAdmin)
dress("usersessions.UserSession", actions=(), list_select_related=("user",), show_full_result_count=False)
dress("account.EmailAddress", actions=(), show_full_result_count=False)
