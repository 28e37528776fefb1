"""Providers: where they are, whether they answer, and how a sandbox misbehaves."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display

from core.admin.read_only_rows import when
from core.engine.queue import enqueue
from infrastructure.adapters.libcloud.offers import currency_of
from infrastructure.admin.provider_form import form_of, plan_size_form_of, setting_names
from infrastructure.keys import change_settings
from infrastructure.models import PlanSize, Provider
from infrastructure.providers.offers import ask_offer
from infrastructure.sandbox.models import SandboxSwitches
from orders.choices import Wanted


class SwitchesInline(StackedInline):
    """How a sandbox behaves from now on."""

    model = SandboxSwitches
    can_delete = False
    extra = 0
    min_num = 1  # a new sandbox shows its switches at once
    max_num = 1


class PlanSizeInline(TabularInline):
    """Which size the orders of a plan get here; the others get the cheapest that fits."""

    model = PlanSize
    extra = 0
    fields = ("plan", "size_id")
    autocomplete_fields = ("plan",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanSize]:
        """With what a plan's name is made of."""
        return PlanSize.objects.select_related("plan__product")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Sizes are chosen among those on offer."""
        return super().get_formset(request, obj, **{**kwargs, "form": plan_size_form_of(obj)})


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    """A provider is disabled rather than deleted: its servers go on, new orders go elsewhere."""

    list_display = ("name", "kind_label", "is_enabled", "rank", "running", "connection", "tested")
    list_filter = ("kind", "is_enabled")
    search_fields = ("slug", "name", "address")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("connection_state", "connection_tested_at", "options_state", "options_read_at")
    actions = ("test_connections", "read_offers", "enable", "disable")
    change_form_outer_before_template = "admin/infrastructure/_sandbox_banner.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        """Providers with the number of servers that are wanted there."""
        alive = Count("servers", filter=~Q(servers__wanted=Wanted.REMOVED))
        return Provider.objects.annotate(running_servers=alive)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With a field for each thing that the provider's driver wants to be told."""
        form = form_of(obj)
        declared = [*setting_names(form)]
        shown = [name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if name not in declared]
        kwargs |= {"form": form, "fields": [one for one in shown if one not in self.get_readonly_fields(request, obj)]}
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the kind of the provider is about; a new one is asked for the least."""
        main = (None, {"fields": ("name", "slug", "kind", "driver", "address", "is_enabled", "rank")})
        if obj is None:
            return (main,)
        seen = (_("What it says"), {"fields": self.readonly_fields})
        if obj.kind != Provider.Kind.LIBCLOUD:
            own = ("address",) if obj.kind == Provider.Kind.LOCAL else ()
            return ((None, {"fields": ("name", "slug", "kind", *own, "is_enabled", "rank")}), seen)
        making = (
            "location",
            "image",
            "network",
            "size_ids",
            "architecture",
            "create_options",
            "currency",
            "priced_per",
        )
        return (
            (None, {"fields": ("name", "slug", "kind", "driver", "is_enabled", "rank")}),
            (_("What its driver is told"), {"fields": tuple(setting_names(form_of(obj)))}),
            (_("New servers"), {"fields": making}),
            seen,
        )

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        """The provider is stored, what its driver is told is sealed, and a worker asks what it offers."""
        if not change and obj.kind == Provider.Kind.LIBCLOUD:
            obj.currency = currency_of(obj.driver)
            obj.is_enabled_by_test, obj.is_enabled = obj.is_enabled, False
            messages.info(request, gettext("The provider takes orders once its connection test has passed."))
        super().save_model(request, obj, form, change)
        if settings := form.driver_settings():
            change_settings(provider=obj, values=settings)
        if obj.makes_servers:
            ask_offer(obj.pk)
        enqueue("infrastructure.providers.connection.test_connection", obj.pk, name=f"test {obj.slug}")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What a provider is, and the name its servers know it by, stays as it was made."""
        return (*self.readonly_fields, "slug", "kind", "driver") if obj else self.readonly_fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Only a new provider gets its slug from its name."""
        return {} if obj else self.prepopulated_fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A sandbox has switches; where servers are made, plans may have sizes of their own."""
        if obj is None:
            return []
        switches = [SwitchesInline] if obj.is_sandbox else []
        return [*([PlanSizeInline] if obj.makes_servers else []), *switches]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only where nothing was ever made."""
        unused = obj is None or not obj.servers.exists()
        return unused and super().has_delete_permission(request, obj)

    @display(description=_("kind"), ordering="kind", label={"sandbox": "warning", "local": "info"})
    def kind_label(self, provider: Provider) -> tuple[str, str]:
        """The kind, a rehearsal in its own colour."""
        return provider.kind, str(provider.get_kind_display()).split(":")[0]

    @admin.display(description=_("servers"), ordering="running_servers")
    def running(self, provider: Any) -> int:
        """How many servers are wanted there."""
        return int(provider.running_servers)

    @admin.display(description=_("last connection test"))
    def connection(self, provider: Provider) -> str:
        """What the last test said."""
        return provider.connection_state

    @admin.display(description=_("tested"), ordering="connection_tested_at")
    def tested(self, provider: Provider) -> str:
        """How long ago that was."""
        return when(provider.connection_tested_at)

    @admin.action(description=_("Test the connection"), permissions=("change",))
    def test_connections(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """A worker asks each provider who it is, and writes down what it said."""
        with transaction.atomic():
            for provider in queryset:
                enqueue(
                    "infrastructure.providers.connection.test_connection", provider.pk, name=f"test {provider.slug}"
                )
        words = ngettext(
            "%(count)d provider is being asked; the answer appears in this list.",
            "%(count)d providers are being asked; the answers appear in this list.",
            len(queryset),
        )
        messages.success(request, words % {"count": len(queryset)})

    @admin.action(description=_("Read what is on offer"), permissions=("change",))
    def read_offers(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """A worker reads sizes, images and locations of each provider that makes servers."""
        pks = [one.pk for one in queryset if one.makes_servers]
        for pk in pks:
            ask_offer(pk)
        words = ngettext("%(count)d offer is being read.", "%(count)d offers are being read.", len(pks))
        messages.success(request, words % {"count": len(pks)})

    @admin.action(description=_("Enable for new orders"), permissions=("change",))
    def enable(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """New orders may be placed there."""
        self._switch(request, queryset, on=True, words=gettext("Enabled for new orders."))

    @admin.action(description=_("Disable for new orders"), permissions=("change",))
    def disable(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """New orders go elsewhere; what is there goes on."""
        self._switch(request, queryset, on=False, words=gettext("Disabled for new orders."))

    def _switch(self, request: HttpRequest, queryset: QuerySet[Provider], *, on: bool, words: str) -> None:
        changed = list(queryset.exclude(is_enabled=on))
        for provider in changed:
            provider.is_enabled, provider.is_enabled_by_test = on, False
            provider.save(update_fields=("is_enabled", "is_enabled_by_test", "updated_at"))
            self.log_change(request, provider, words)
        said = ngettext("%(count)d provider changed.", "%(count)d providers changed.", len(changed))
        messages.success(request, said % {"count": len(changed)})
