"""The keys of servers: how one that was adopted, or installed anew by hand, is reached again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.admin import ModelAdmin

from infrastructure.adapters.ssh.hosts import fingerprint
from infrastructure.keys import admit_server
from infrastructure.models import Provider, Server, ServerKeys


class ServerKeysForm(forms.ModelForm[ServerKeys]):
    """What opens a server, which goes in and never comes out, and what it is known by."""

    given_key = forms.CharField(
        label=_("Private key"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_("Opens the server for root, in OpenSSH's format. Left empty, the one that is stored stays."),
    )

    class Meta:
        model = ServerKeys
        fields = ("server", "host_key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["host_key"].help_text = _(
            "The line of /etc/ssh/ssh_host_ed25519_key.pub, read on the server's console; another key is refused."
        )
        if "server" in self.fields:
            made = Server.objects.filter(provider__kind=Provider.Kind.LIBCLOUD, keys=None).select_related("order")
            self.fields["server"].queryset = made  # type: ignore[attr-defined]
            self.fields["given_key"].required = True

    def clean_host_key(self) -> str:
        """A public key, whole."""
        text = str(self.cleaned_data["host_key"]).strip()
        try:
            fingerprint(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not the line of a public key.")) from error
        return text

    def clean_given_key(self) -> str:
        """A private key without a passphrase of its own, as far as its first line tells."""
        text = str(self.cleaned_data["given_key"]).strip()
        if text and not text.startswith("-----BEGIN "):
            raise forms.ValidationError(_("This is not a private key: it begins with -----BEGIN."))
        return text


@admin.register(ServerKeys)
class ServerKeysAdmin(ModelAdmin):
    """Made with their server; changed only when somebody knows better what stands there."""

    form = ServerKeysForm
    list_display = ("order_key", "provider", "address", "host_key_fingerprint", "updated_at")
    search_fields = ("server__order__reference", "server__address", "server__outside_id")
    show_full_result_count = False
    readonly_fields = ("host_key_fingerprint", "public_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerKeys]:
        """Without what is sealed: nobody needs it opened to look at a list."""
        keys = ServerKeys.objects.defer("private_key", "host_private_key")
        return keys.select_related("server__order", "server__provider")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Of stored keys also what can be compared on the server's console."""
        return ("server", "given_key", "host_key", *(self.readonly_fields if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keys stay those of their server."""
        return (*self.readonly_fields, "server") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: ServerKeys, form: Any, change: bool) -> None:
        """The server is reached with what was given; nothing is tried by itself."""
        admit_server(server=obj.server, private_key=form.cleaned_data["given_key"], host_key=obj.host_key)
        obj.pk = ServerKeys.objects.values_list("pk", flat=True).get(server=obj.server)
        words = gettext("The next visit to %(server)s uses them: press “Try again” on its order.")
        messages.info(request, words % {"server": obj.server.key})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A server without keys is lost to us."""
        return False

    @admin.display(description=_("server"), ordering="server")
    def order_key(self, keys: ServerKeys) -> str:
        """What it is called at its provider."""
        return keys.server.key

    @admin.display(description=_("provider"))
    def provider(self, keys: ServerKeys) -> str:
        """Where it stands."""
        return str(keys.server.provider)

    @admin.display(description=_("address"))
    def address(self, keys: ServerKeys) -> str:
        """Where it is reached."""
        return keys.server.address

    @admin.display(description=_("fingerprint"))
    def host_key_fingerprint(self, keys: ServerKeys) -> str:
        """What `ssh-keygen -l` says of the host key; empty if the text is no key."""
        try:
            return fingerprint(keys.host_key)
        except ValueError:
            return ""
