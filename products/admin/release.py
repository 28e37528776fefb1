"""How staff see releases: as they were copied in."""

from __future__ import annotations

import yaml
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.admin.read_only_rows import MachineOwned
from core.money import Money
from products.display import composition_figure
from products.models import Release
from products.offering import plans_of

LOOK = "overflow-x: auto; max-width: calc(100vw - 4.5rem); max-height: 40rem; font-size: 0.8rem; line-height: 1.4"
CODE = f'<pre style="{LOOK}">{{}}</pre>'


@admin.register(Release)
class ReleaseAdmin(MachineOwned, ModelAdmin):
    """Releases are read here and changed nowhere."""

    list_display = ("version", "product", "short_digest", "order_count", "created_at")
    list_filter = (("product", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("product",)
    search_fields = ("version", "digest", "product__slug", "product__name")
    show_full_result_count = False
    fields = (
        *("product", "version", "full_digest", "commit", "author", "message", "created_at"),
        *("order_count", "plans", "drawing", "pretty_manifest", "pretty_compose"),
    )
    readonly_fields = fields

    class Media:
        css = {"all": ("products/pictures.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        """The rows with their number of orders; the texts only where they are shown."""
        counts = Release.objects.filter(pk=OuterRef("pk")).order_by().annotate(count=Count("orders")).values("count")
        rows: QuerySet[Release] = super().get_queryset(request).annotate(orders_made=Subquery(counts))
        return rows if request.resolver_match and request.resolver_match.kwargs else rows.defer("manifest", "compose")

    @display(description=_("digest"))
    def short_digest(self, release: Release) -> str:
        """Enough of the digest to tell releases apart."""
        return release.digest[:12]

    @display(description=_("orders"), ordering="orders_made")
    def order_count(self, release: Release) -> str:
        """How many orders run this release, as a link to them."""
        address = reverse("admin:orders_order_changelist")
        count = release.orders_made  # type: ignore[attr-defined]
        return format_html('<a href="{}?release__id__exact={}">{}</a>', address, release.pk, count)

    @display(description=_("digest"))
    def full_digest(self, release: Release) -> str:
        """SHA-256 of every file of the product."""
        return format_html('<code style="overflow-wrap: anywhere">{}</code>', release.digest)

    @display(description=_("plans"))
    def plans(self, release: Release) -> str:
        """The plans as this release offers them; orders keep the terms that they were placed with."""
        return render_to_string(
            "admin/products/_plans.html",
            {"rows": [(plan, Money(plan.setup_fee, plan.currency)) for plan in plans_of(release)]},
        )

    @display(description=_("composition"))
    def drawing(self, release: Release) -> str:
        """Services, ports, volumes and what needs what."""
        return composition_figure(release) or "-"

    @display(description=_("manifest"))
    def pretty_manifest(self, release: Release) -> str:
        """The manifest as YAML, its defaults filled in."""
        return format_html(CODE, yaml.safe_dump(release.manifest, sort_keys=False, allow_unicode=True))

    @display(description=_("compose file"))
    def pretty_compose(self, release: Release) -> str:
        """The compose file as it is."""
        return format_html(CODE, release.compose)
