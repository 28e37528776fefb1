"""Existing hosts: what is declared of them, what is taken, and whether they answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import when
from infrastructure.adapters.ssh.hosts import fingerprint
from infrastructure.admin.observation import WithObservations
from infrastructure.contracts.sizing import Room
from infrastructure.hosts.services import orders_to_place_anew, place_orders_anew, write_off_host
from infrastructure.keys import give_host_key
from infrastructure.models import Host, Server
from infrastructure.placement.places import rooms_of
from infrastructure.providers.connection import ask_hosts


class HostForm(forms.ModelForm[Host]):
    """A host; its private key goes in and never comes out."""

    private_key = forms.CharField(
        label=_("Private key"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_(
            "OpenSSH's format. Left empty, a new host gets a key of its own, whose public half is shown here; "
            "an existing one keeps what it has."
        ),
    )

    class Meta:
        model = Host
        fields = ("provider", "name", "address", "port", "user", "host_key", "cpus", "ram_gb", "disk_gb", "is_enabled")

    def clean_host_key(self) -> str:
        """A public key, whole."""
        text = str(self.cleaned_data["host_key"]).strip()
        try:
            fingerprint(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not the line of a public key.")) from error
        return text

    def clean_private_key(self) -> str:
        """A private key, as far as its first line tells."""
        text = str(self.cleaned_data["private_key"]).strip()
        if text and not text.startswith("-----BEGIN "):
            raise forms.ValidationError(_("This is not a private key: it begins with -----BEGIN."))
        return text


@admin.register(Host)
class HostAdmin(WithObservations, ModelAdmin):
    """A host is disabled rather than deleted while orders are on it."""

    form = HostForm
    list_display = (
        "name",
        "provider",
        "address",
        "state_label",
        "status_message",
        "free",
        "orders",
        "is_enabled",
        "asked",
    )
    list_select_related = ("provider",)
    list_filter = ("state", "is_enabled", ("provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "address")
    readonly_fields = ("public_key", "state", "status_message", "checked_at", "gone_at", "gone_by", "gone_reason")
    actions = ("ask", "write_off", "place_anew")
    fieldsets = (
        (None, {"fields": ("provider", "name", "is_enabled")}),
        (_("How it is reached"), {"fields": ("address", "port", "user", "host_key", "private_key", "public_key")}),
        (_("What orders may take of it"), {"fields": ("cpus", "ram_gb", "disk_gb")}),
        (_("What it says"), {"fields": ("state", "status_message", "checked_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of one that is gone, also who said so and why."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or not obj.is_gone:
            return shown
        return (*shown, (_("Gone for good"), {"fields": ("gone_at", "gone_by", "gone_reason")}))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing changes about one that is gone."""
        return not (obj is not None and obj.is_gone) and super().has_change_permission(request, obj)

    def has_write_off_permission(self, request: HttpRequest) -> bool:
        """Who may say that a host never comes back."""
        return request.user.has_perm("infrastructure.write_off_host")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, which knows what is taken of each of its hosts: one query for the page."""
        page = super().get_changelist_instance(request)
        rooms = {room.host_pk: room for room in rooms_of(list(page.result_list))}
        for host in page.result_list:
            host.room = rooms[host.pk]
        return page

    def save_model(self, request: HttpRequest, obj: Host, form: Any, change: bool) -> None:
        """The host is stored with a key to open it, and is asked who it is."""
        super().save_model(request, obj, form, change)
        private_key = form.cleaned_data.get("private_key", "")
        if private_key or not change:
            give_host_key(host=obj, private_key=private_key)
        ask_hosts([obj.pk])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only where no order ever was."""
        unused = obj is None or not obj.servers.exists()
        return unused and super().has_delete_permission(request, obj)

    @display(
        description=_("state"),
        ordering="state",
        label={"new": "", "ready": "success", "silent": "warning", "refused": "danger", "gone": "danger"},
    )
    def state_label(self, host: Host) -> tuple[str, str]:
        """The state in its colour."""
        return host.state, str(host.get_state_display())

    @admin.display(description=_("free"))
    def free(self, host: Any) -> str:
        """What is left of what is declared."""
        room: Room = host.room
        left = room.free
        return f"{left.cpus}/{host.cpus} CPU · {left.ram_gb}/{host.ram_gb} GB · {left.disk_gb}/{host.disk_gb} GB"

    @admin.display(description=_("orders"))
    def orders(self, host: Any) -> int:
        """How many orders are on it."""
        return len(host.room.taken)

    @admin.display(description=_("asked"), ordering="checked_at")
    def asked(self, host: Host) -> str:
        """How long ago."""
        return when(host.checked_at)

    @admin.action(description=_("Ask the host"), permissions=("change",))
    def ask(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        """A worker asks each host what it is made of, and writes down what it said."""
        pks = list(queryset.values_list("pk", flat=True))
        ask_hosts(pks)
        words = ngettext(
            "%(count)d host is being asked; the answer appears in this list.",
            "%(count)d hosts are being asked; the answers appear in this list.",
            len(pks),
        )
        messages.success(request, words % {"count": len(pks)})

    @admin.action(description=_("The host is gone for good"), permissions=("write_off",))
    def write_off(self, request: HttpRequest, queryset: QuerySet[Host]) -> HttpResponse | None:
        """A person's word stands for the proof that a dead host cannot give, once that is confirmed."""
        why = request.POST.get("why", "")
        change = ConfirmedAction(
            title=_("The host is gone for good"),
            says=_(
                "These never come back. Nothing is placed there, and orders being removed count what stood there as "
                "gone; running ones need a person, who places them anew. This cannot be undone. A reason is needed."
            ),
            verb=lambda host: write_off_host(host=host, why=why, actor=request.user),  # type: ignore[arg-type]
            is_destructive=True,
            describe=_with_its_orders,
        )
        return change_rows(self, request, change, queryset)

    @admin.action(description=_("Place its orders anew"), permissions=("write_off",))
    def place_anew(self, request: HttpRequest, queryset: QuerySet[Host]) -> HttpResponse | None:
        """The running orders of hosts that are gone go where there is room, once that is confirmed."""
        why = request.POST.get("why", "")
        change = ConfirmedAction(
            title=_("Place its orders anew"),
            says=_(
                "Each running order of these hosts is launched from its release in another place. ALL DATA ON THE LOST "
                "HOST IS GONE: volumes start empty, and what customers had put there does not come back."
            ),
            verb=lambda host: place_orders_anew(host=host, why=why, actor=request.user),  # type: ignore[arg-type]
            is_destructive=True,
            describe=_with_its_orders_to_move,
        )
        return change_rows(self, request, change, queryset)


def _with_its_orders(host: Host) -> str:
    count = Server.objects.not_removed().filter(host=host).count()
    return f"{host} · {host.address} · " + ngettext("%(count)d order", "%(count)d orders", count) % {"count": count}


def _with_its_orders_to_move(host: Host) -> str:
    names = ", ".join(str(order) for order in orders_to_place_anew(host)[:20])
    return f"{host}: {names or gettext('nothing to place anew')}"
