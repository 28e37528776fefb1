"""Providers: settings, connection test, catalogue, and the switches of a sandbox."""

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
    """The switches of a sandbox."""

    model = SandboxSwitches
    can_delete = False
    extra = 0
    min_num = 1  # a new sandbox has its switches on the page
    max_num = 1


class PlanSizeInline(TabularInline):
    """The size that orders of a plan get here; other plans get the cheapest that fits."""

    model = PlanSize
    extra = 0
    fields = ("plan", "size_id")
    autocomplete_fields = ("plan",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanSize]:
        """Plan sizes with the rows that a plan's name shows."""
        return PlanSize.objects.select_related("plan__product")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset with the sizes on offer as choices."""
        return super().get_formset(request, obj, **{**kwargs, "form": plan_size_form_of(obj)})


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    """Providers are disabled, not deleted: existing servers are kept, new orders are placed elsewhere."""

    list_display = ("name", "kind_label", "is_enabled", "rank", "running", "connection", "tested")
    list_filter = ("kind", "is_enabled")
    search_fields = ("slug", "name", "address")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("connection_state", "connection_tested_at", "options_state", "options_read_at")
    actions = ("test_connections", "read_offers", "enable", "disable")
    change_form_outer_before_template = "admin/infrastructure/_sandbox_banner.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        """Providers with the number of servers that are not being removed."""
        running = Count("servers", filter=~Q(servers__wanted=Wanted.REMOVED))
        return Provider.objects.annotate(running_servers=running)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, with a field for each setting of the provider's driver."""
        form = form_of(obj)
        declared = [*setting_names(form)]
        shown = [name for name in flatten_fieldsets(self.get_fieldsets(request, obj)) if name not in declared]
        readonly = self.get_readonly_fields(request, obj)
        kwargs |= {"form": form, "fields": [name for name in shown if name not in readonly]}
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields of the provider's kind; the page to add one shows the fewest."""
        main = (None, {"fields": ("name", "slug", "kind", "driver", "address", "is_enabled", "rank")})
        if obj is None:
            return (main,)
        status = (_("Status"), {"fields": self.readonly_fields})
        if obj.kind != Provider.Kind.LIBCLOUD:
            own = ("address",) if obj.kind == Provider.Kind.LOCAL else ()
            return ((None, {"fields": ("name", "slug", "kind", *own, "is_enabled", "rank")}), status)
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
            (_("Driver settings"), {"fields": tuple(setting_names(form_of(obj)))}),
            (_("New servers"), {"fields": making}),
            status,
        )

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        """The provider is stored with encrypted settings; a worker tests it and updates its catalogue."""
        if not change and obj.kind == Provider.Kind.LIBCLOUD:
            obj.currency = currency_of(obj.driver)
            obj.is_enabled_by_test, obj.is_enabled = obj.is_enabled, False
            messages.info(request, gettext("The provider will be enabled when its connection test has passed."))
        super().save_model(request, obj, form, change)
        if settings := form.driver_settings():
            change_settings(provider=obj, values=settings)
        if obj.makes_servers:
            ask_offer(obj.pk)
        enqueue("infrastructure.providers.connection.test_connection", obj.pk, name=f"test {obj.slug}")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Slug, kind and driver cannot be changed later."""
        return (*self.readonly_fields, "slug", "kind", "driver") if obj else self.readonly_fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Only a new provider gets its slug from its name."""
        return {} if obj else self.prepopulated_fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Switches for a sandbox; plan sizes for providers that create servers."""
        if obj is None:
            return []
        switches = [SwitchesInline] if obj.is_sandbox else []
        return [*([PlanSizeInline] if obj.makes_servers else []), *switches]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a provider that never had a server."""
        unused = obj is None or not obj.servers.exists()
        return unused and super().has_delete_permission(request, obj)

    @display(description=_("kind"), ordering="kind", label={"sandbox": "warning", "local": "info"})
    def kind_label(self, provider: Provider) -> tuple[str, str]:
        """The kind as a coloured label."""
        return provider.kind, str(provider.get_kind_display()).split(":")[0]

    @admin.display(description=_("servers"), ordering="running_servers")
    def running(self, provider: Any) -> int:
        """The number of servers that are not being removed."""
        return int(provider.running_servers)

    @admin.display(description=_("last connection test"))
    def connection(self, provider: Provider) -> str:
        """The result of the last connection test."""
        return provider.connection_state

    @admin.display(description=_("tested"), ordering="connection_tested_at")
    def tested(self, provider: Provider) -> str:
        """How long ago it was tested."""
        return when(provider.connection_tested_at)

    @admin.action(description=_("Test connection"), permissions=("change",))
    def test_connections(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """A worker tests the connection of each provider and stores the result."""
        with transaction.atomic():
            for provider in queryset:
                enqueue(
                    "infrastructure.providers.connection.test_connection", provider.pk, name=f"test {provider.slug}"
                )
        message = ngettext(
            "Testing %(count)d provider; the result appears in this list.",
            "Testing %(count)d providers; the results appear in this list.",
            len(queryset),
        )
        messages.success(request, message % {"count": len(queryset)})

    @admin.action(description=_("Update catalogue"), permissions=("change",))
    def read_offers(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """A worker reads sizes, images and locations of each provider that creates servers."""
        pks = [provider.pk for provider in queryset if provider.makes_servers]
        for pk in pks:
            ask_offer(pk)
        message = ngettext("Updating %(count)d catalogue.", "Updating %(count)d catalogues.", len(pks))
        messages.success(request, message % {"count": len(pks)})

    @admin.action(description=_("Enable for new orders"), permissions=("change",))
    def enable(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """New orders can be placed with the selected providers."""
        self._switch(request, queryset, on=True, entry=gettext("Enabled for new orders."))

    @admin.action(description=_("Disable for new orders"), permissions=("change",))
    def disable(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        """New orders are placed elsewhere; existing servers are kept."""
        self._switch(request, queryset, on=False, entry=gettext("Disabled for new orders."))

    def _switch(self, request: HttpRequest, queryset: QuerySet[Provider], *, on: bool, entry: str) -> None:
        changed = list(queryset.exclude(is_enabled=on))
        for provider in changed:
            provider.is_enabled, provider.is_enabled_by_test = on, False
            provider.save(update_fields=("is_enabled", "is_enabled_by_test", "updated_at"))
            self.log_change(request, provider, entry)
        message = ngettext("%(count)d provider changed.", "%(count)d providers changed.", len(changed))
        messages.success(request, message % {"count": len(changed)})
