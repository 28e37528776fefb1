"""Config-repos in the admin: where products are defined, whether that answers, and how GitLab reports a push."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from core.address_policy import address_guard
from core.engine.queue import enqueue
from core.errors import ConfigError
from products.adapters.git.address import check_git_url, host_of
from products.models import ConfigRepo
from products.services import change_repo_secrets, request_catalogue_sync


class ConfigRepoForm(forms.ModelForm[ConfigRepo]):
    """Secrets go in and never come out: an empty field keeps what is stored."""

    token = forms.CharField(
        label=_("access token"),
        required=False,
        max_length=300,
        widget=UnfoldAdminPasswordWidget,
        help_text=_("Scope read_api; api to show import results on commits. Empty keeps the stored one."),
    )
    webhook_secret = forms.CharField(
        label=_("webhook secret"),
        required=False,
        max_length=300,
        widget=UnfoldAdminPasswordWidget,
        help_text=_("The secret token of GitLab's webhook. Empty keeps the stored one."),
    )

    class Meta:
        model = ConfigRepo
        fields = ("name", "kind", "address", "project", "branch", "path", "is_enabled")

    def clean(self) -> dict[str, Any]:
        """A GitLab needs an address and a project; git never gets an address that runs a program."""
        values = super().clean() or self.cleaned_data
        kind, address = values.get("kind"), str(values.get("address") or "")
        if not address and not self.instance.is_default:
            self.add_error("address", gettext("Enter an address."))
        if kind == ConfigRepo.Kind.GITLAB:
            if address and not address.startswith(("https://", "http://")):
                self.add_error("address", gettext("Enter the address of GitLab, such as https://gitlab.com."))
            if not values.get("project"):
                self.add_error("project", gettext("Enter the project, such as group/catalogue."))
        if kind == ConfigRepo.Kind.GIT and address:
            try:
                check_git_url(address)
            except ConfigError as error:
                self.add_error("address", str(error))
        if kind != ConfigRepo.Kind.FOLDER and not _may_be_reached(address):
            self.add_error("address", gettext("This is an address in a private network (ALLOWED_PRIVATE_RANGES)."))
        for name in ("path", "branch"):
            value = str(values.get(name) or "")
            if value.startswith("-") or ".." in value.split("/"):
                self.add_error(name, gettext("This may not begin with a hyphen or contain “..”."))
        return values


def _may_be_reached(address: str) -> bool:
    """False for an IP address that is not allowed; names are judged by the worker that tests the connection."""
    try:
        host, _port = host_of(address)
    except ValueError:  # no address at all; the connection test says so
        return True
    return address_guard().allows_host(host)


@admin.register(ConfigRepo)
class ConfigRepoAdmin(ModelAdmin):
    """A config-repo is disabled rather than deleted once products come from it."""

    form = ConfigRepoForm
    list_display = ("name", "kind", "address", "project", "is_enabled", "synced_at", "short_commit", "last_error")
    list_filter = ("kind", "is_enabled")
    search_fields = ("name", "address", "project")
    actions = ("sync", "check_connections")
    readonly_fields = ("webhook_address", "synced_at", "commit", "last_error", "tested_at", "test_result")
    fieldsets = (
        (None, {"fields": ("name", "kind", "address", "project", "branch", "path", "is_enabled")}),
        (_("Access"), {"fields": ("token", "webhook_secret", "webhook_address")}),
        (_("State"), {"fields": ("synced_at", "commit", "last_error", "tested_at", "test_result")}),
    )

    def save_model(self, request: HttpRequest, obj: ConfigRepo, form: Any, change: bool) -> None:
        """The row is stored, its secrets are sealed, and a worker tests the connection."""
        if change and {"kind", "address", "project", "branch", "path"} & set(form.changed_data):
            obj.position = {}
        super().save_model(request, obj, form, change)
        values = form.cleaned_data
        change_repo_secrets(repo=obj, token=values.get("token", ""), webhook_secret=values.get("webhook_secret", ""))
        enqueue("products.tasks.check_connection", obj.pk, name=f"test config-repo {obj.pk}")

    def has_change_permission(self, request: HttpRequest, obj: ConfigRepo | None = None) -> bool:
        """The default one is changed in the site's settings."""
        is_own = obj is None or not obj.is_default
        return is_own and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ConfigRepo | None = None) -> bool:
        """Only where no product comes from it."""
        unused = obj is None or not (obj.is_default or obj.products.exists())
        return unused and super().has_delete_permission(request, obj)

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Staff who may sync the catalogue."""
        return request.user.has_perm("products.sync_catalogue")

    @display(description=_("commit"))
    def short_commit(self, repo: ConfigRepo) -> str:
        """Enough of the commit to recognise it."""
        return repo.commit[:12]

    @display(description=_("webhook address"))
    def webhook_address(self, repo: ConfigRepo) -> str:
        """What to enter in GitLab under its webhook settings."""
        return format_html("<code>{}</code>", reverse("catalogue_hooks:gitlab", args=(repo.uuid,)))

    @action(description=_("Sync selected config-repos"), permissions=["sync"])
    def sync(self, request: HttpRequest, repos: QuerySet[ConfigRepo]) -> None:
        """A worker reads everything in each of them."""
        for repo in repos.enabled():  # type: ignore[attr-defined]
            request_catalogue_sync(actor=request.user, repo=repo)  # type: ignore[arg-type]
        self.message_user(request, gettext("Catalogue sync requested."), messages.SUCCESS)

    @action(description=_("Test connections"), permissions=["sync"])
    def check_connections(self, request: HttpRequest, repos: QuerySet[ConfigRepo]) -> None:
        """A worker tests each; the result is shown here."""
        for repo in repos:
            enqueue("products.tasks.check_connection", repo.pk, name=f"test config-repo {repo.pk}")
        self.message_user(request, gettext("Connection test requested; reload in a moment."), messages.SUCCESS)
