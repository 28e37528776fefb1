"""SSH keys of servers: for servers that were adopted, or reinstalled by hand."""

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
    """The private key of a server, never shown again, and its host key."""

    given_key = forms.CharField(
        label=_("Private key"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_("For root on the server, in OpenSSH format. Leave empty to keep the stored key."),
    )

    class Meta:
        model = ServerKeys
        fields = ("server", "host_key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["host_key"].help_text = _(
            "The content of /etc/ssh/ssh_host_ed25519_key.pub on the server. Any other host key is rejected."
        )
        if "server" in self.fields:
            made = Server.objects.filter(provider__kind=Provider.Kind.LIBCLOUD, keys=None).select_related("order")
            self.fields["server"].queryset = made  # type: ignore[attr-defined]
            self.fields["given_key"].required = True

    def clean_host_key(self) -> str:
        """The text is one line with a public key."""
        text = str(self.cleaned_data["host_key"]).strip()
        try:
            fingerprint(text)
        except ValueError as error:
            raise forms.ValidationError(_("Not a public key: expected a line such as “ssh-ed25519 AAAA…”.")) from error
        return text

    def clean_given_key(self) -> str:
        """The first line is that of a private key; the rest is not parsed."""
        text = str(self.cleaned_data["given_key"]).strip()
        if text and not text.startswith("-----BEGIN "):
            raise forms.ValidationError(_("Not a private key: it has to start with -----BEGIN."))
        return text


@admin.register(ServerKeys)
class ServerKeysAdmin(ModelAdmin):
    """Created with their server; changed by staff after an adoption or a reinstallation."""

    form = ServerKeysForm
    list_display = ("order_key", "provider", "address", "host_key_fingerprint", "updated_at")
    search_fields = ("server__order__reference", "server__address", "server__outside_id")
    show_full_result_count = False
    readonly_fields = ("host_key_fingerprint", "public_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerKeys]:
        """Without the encrypted columns, which a list does not need."""
        keys = ServerKeys.objects.defer("private_key", "host_private_key")
        return keys.select_related("server__order", "server__provider")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """For stored keys, also the fingerprint to compare on the server's console."""
        return ("server", "given_key", "host_key", *(self.readonly_fields if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The server of stored keys cannot be changed."""
        return (*self.readonly_fields, "server") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: ServerKeys, form: Any, change: bool) -> None:
        """The keys are stored for the next connection; nothing is retried automatically."""
        admit_server(server=obj.server, private_key=form.cleaned_data["given_key"], host_key=obj.host_key)
        obj.pk = ServerKeys.objects.values_list("pk", flat=True).get(server=obj.server)
        message = gettext("Stored. Choose “Try again” on the order of %(server)s to connect with these keys.")
        messages.info(request, message % {"server": obj.server.key})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: without its keys the server cannot be reached."""
        return False

    @admin.display(description=_("server"), ordering="server")
    def order_key(self, keys: ServerKeys) -> str:
        """The server's name at its provider."""
        return keys.server.key

    @admin.display(description=_("provider"))
    def provider(self, keys: ServerKeys) -> str:
        """The server's provider."""
        return str(keys.server.provider)

    @admin.display(description=_("address"))
    def address(self, keys: ServerKeys) -> str:
        """The address that is connected to."""
        return keys.server.address

    @admin.display(description=_("fingerprint"))
    def host_key_fingerprint(self, keys: ServerKeys) -> str:
        """The host key's fingerprint as `ssh-keygen -l` prints it; empty if the text is not a key."""
        try:
            return fingerprint(keys.host_key)
        except ValueError:
            return ""
