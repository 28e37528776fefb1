"""Existing hosts: their capacity, their state and their orders."""

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

from core.admin.confirmed_actions import ConfirmedAction, change_rows, confirm
from core.admin.read_only_rows import when
from core.errors import Refusal
from infrastructure.adapters.ssh.hosts import fingerprint
from infrastructure.admin.observation import WithObservations
from infrastructure.contracts.sizing import Room
from infrastructure.hosts.services import orders_to_relocate, relocate_orders, write_off_host
from infrastructure.keys import give_host_key
from infrastructure.models import Host, Server
from infrastructure.placement.places import rooms_of
from infrastructure.providers.connection import ask_hosts


class HostForm(forms.ModelForm[Host]):
    """A host; its private key can be set, and is never shown again."""

    private_key = forms.CharField(
        label=_("Private key"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_(
            "In OpenSSH format. If left empty, a key pair is generated for a new host and its public key shown here; "
            "an existing host keeps its key."
        ),
    )

    class Meta:
        model = Host
        fields = ("provider", "name", "address", "port", "user", "host_key", "cpus", "ram_gb", "disk_gb", "is_enabled")

    def clean_host_key(self) -> str:
        """The text is one line with a public key."""
        text = str(self.cleaned_data["host_key"]).strip()
        try:
            fingerprint(text)
        except ValueError as error:
            raise forms.ValidationError(_("Not a public key: expected a line such as “ssh-ed25519 AAAA…”.")) from error
        return text

    def clean_private_key(self) -> str:
        """The first line is that of a private key; the rest is not parsed."""
        text = str(self.cleaned_data["private_key"]).strip()
        if text and not text.startswith("-----BEGIN "):
            raise forms.ValidationError(_("Not a private key: it has to start with -----BEGIN."))
        return text


@admin.register(Host)
class HostAdmin(WithObservations, ModelAdmin):
    """Hosts are disabled, not deleted, while orders are placed on them."""

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
        "checked",
    )
    list_select_related = ("provider",)
    list_filter = ("state", "is_enabled", ("provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "address")
    readonly_fields = ("public_key", "state", "status_message", "checked_at", "gone_at", "gone_by", "gone_reason")
    actions = ("check_hosts", "write_off", "relocate")
    fieldsets = (
        (None, {"fields": ("provider", "name", "is_enabled")}),
        (_("Connection"), {"fields": ("address", "port", "user", "host_key", "private_key", "public_key")}),
        (_("Capacity for orders"), {"fields": ("cpus", "ram_gb", "disk_gb")}),
        (_("Status"), {"fields": ("state", "status_message", "checked_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """For a host that was written off, also by whom and why."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or not obj.is_gone:
            return shown
        return (*shown, (_("Written off"), {"fields": ("gone_at", "gone_by", "gone_reason")}))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A host that was written off is read-only."""
        return not (obj is not None and obj.is_gone) and super().has_change_permission(request, obj)

    def has_write_off_permission(self, request: HttpRequest) -> bool:
        """Writing off and relocating are one permission."""
        return request.user.has_perm("infrastructure.write_off_host")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list with the free capacity of each host, in one query for the page."""
        page = super().get_changelist_instance(request)
        rooms = {room.host_pk: room for room in rooms_of(list(page.result_list))}
        for host in page.result_list:
            host.room = rooms[host.pk]
        return page

    def save_model(self, request: HttpRequest, obj: Host, form: Any, change: bool) -> None:
        """The host is stored with its private key, and a worker checks it."""
        super().save_model(request, obj, form, change)
        private_key = form.cleaned_data.get("private_key", "")
        if private_key or not change:
            give_host_key(host=obj, private_key=private_key)
        ask_hosts([obj.pk])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a host that never had an order."""
        unused = obj is None or not obj.servers.exists()
        return unused and super().has_delete_permission(request, obj)

    @display(
        description=_("state"),
        ordering="state",
        label={"new": "", "ready": "success", "silent": "warning", "refused": "danger", "gone": "danger"},
    )
    def state_label(self, host: Host) -> tuple[str, str]:
        """The state as a coloured label."""
        return host.state, str(host.get_state_display())

    @admin.display(description=_("free"))
    def free(self, host: Any) -> str:
        """The free capacity, and the declared one."""
        room: Room = host.room
        left = room.free
        return f"{left.cpus}/{host.cpus} CPU · {left.ram_gb}/{host.ram_gb} GB · {left.disk_gb}/{host.disk_gb} GB"

    @admin.display(description=_("orders"))
    def orders(self, host: Any) -> int:
        """The number of orders placed on it."""
        return len(host.room.taken)

    @admin.display(description=_("checked"), ordering="checked_at")
    def checked(self, host: Host) -> str:
        """How long ago the host was checked."""
        return when(host.checked_at)

    @admin.action(description=_("Check now"), permissions=("change",))
    def check_hosts(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        """A worker connects to each host and stores what it finds."""
        pks = list(queryset.values_list("pk", flat=True))
        ask_hosts(pks)
        message = ngettext(
            "Checking %(count)d host; the result appears in this list.",
            "Checking %(count)d hosts; the results appear in this list.",
            len(pks),
        )
        messages.success(request, message % {"count": len(pks)})

    @admin.action(description=_("Write off"), permissions=("write_off",))
    def write_off(self, request: HttpRequest, queryset: QuerySet[Host]) -> HttpResponse | None:
        """After confirmation, the hosts are written off: nothing is left of what was on them."""
        why = request.POST.get("why", "")
        change = ConfirmedAction(
            title=_("Write off hosts"),
            says=_(
                "Only for hosts that are lost for good. No more orders are placed on them. Orders that are being "
                "removed count as removed from them; running orders need attention until you relocate them. This "
                "cannot be undone. A reason is required."
            ),
            verb=lambda host: write_off_host(host=host, why=why, actor=request.user),  # type: ignore[arg-type]
            is_destructive=True,
            describe=_with_its_orders,
        )
        return change_rows(self, request, change, queryset)

    @admin.action(description=_("Relocate orders"), permissions=("write_off",))
    def relocate(self, request: HttpRequest, queryset: QuerySet[Host]) -> HttpResponse | None:
        """After confirmation, the running orders of hosts that were written off are placed elsewhere."""
        why = request.POST.get("why", "")[:500]
        change = ConfirmedAction(
            title=_("Relocate orders"),
            says=_(
                "Each running order of these hosts is launched from its release on another host. ALL DATA ON THE LOST "
                "HOST IS GONE: volumes start empty, and customers' data is not restored. An order for which there "
                "is no capacity stays unchanged."
            ),
            verb=lambda host: relocate_orders(host=host, why=why, actor=request.user),  # type: ignore[arg-type]
            is_destructive=True,
            describe=_with_its_orders_to_relocate,
        )
        if (page := confirm(self, request, change, queryset)) is not None:
            return page
        moved, refused = 0, []
        for host in queryset:
            try:
                relocation = relocate_orders(host=host, why=why, actor=request.user)  # type: ignore[arg-type]
            except Refusal as refusal:
                refused.append(f"{host}: {refusal.message}")
                continue
            names = ", ".join(order.reference for order in relocation.moved)
            if names:
                self.log_change(request, host, f"{change.title}: {names}. {why}".strip())
            moved += len(relocation.moved)
            refused += [f"{order.reference}: {reason}" for order, reason in relocation.refused.items()]
        message = ngettext("%(count)d order relocated.", "%(count)d orders relocated.", moved) % {"count": moved}
        if refused:
            message = f"{message} {gettext('Not relocated:')} {' '.join(refused)}"
        messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, message)
        return None


def _with_its_orders(host: Host) -> str:
    count = Server.objects.not_removed().filter(host=host).count()
    return f"{host} · {host.address} · " + ngettext("%(count)d order", "%(count)d orders", count) % {"count": count}


def _with_its_orders_to_relocate(host: Host) -> str:
    names = ", ".join(str(order) for order in orders_to_relocate(host)[:20])
    return f"{host}: {names or gettext('no orders to relocate')}"
