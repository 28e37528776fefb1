"""How staff see products, and put them on sale or take them off."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows, confirm
from core.admin.read_only_rows import MachineOwned
from products.admin.plan import PlanColumns
from products.display import composition_figure, description_html
from products.models import Plan, Product, Release
from products.services import put_on_sale, request_catalogue_syncs, retire_product

STATES = {Product.State.ON_SALE: "success", Product.State.RETIRED: "", "error": "danger"}

SYNC = ConfirmedAction(
    title=_("Sync catalogue"),
    says=_("A worker reads the catalogue and updates products, releases and plans."),
    verb=lambda row: None,
)
RETIRE = ConfirmedAction(
    title=_("Retire"),
    says=_("Nobody can order these products any more. Existing orders keep running."),
    verb=lambda product: retire_product(product=product),
    is_destructive=True,
)
SELL = ConfirmedAction(
    title=_("Put on sale"),
    says=_("Customers can order these products."),
    verb=lambda product: put_on_sale(product=product),
)


class HasImportError(admin.SimpleListFilter):
    """Products whose current state in the catalogue was refused."""

    title = _("needs attention")
    parameter_name = "refused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What can be chosen."""
        return [("yes", _("Refused by the last import"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        """The rows chosen."""
        return queryset.exclude(import_error="") if self.value() == "yes" else queryset


class PlanInline(MachineOwned, PlanColumns, TabularInline):
    """The product's plans, as the present release offers them."""

    model = Plan
    extra = 0
    hide_title = True
    fields = (
        *("slug", "name", "shown_price", "shown_fee", "placement", "cpus", "ram_gb", "disk_gb"),
        *("auto_approve", "state"),
    )
    readonly_fields = fields


class ReleaseInline(MachineOwned, TabularInline):
    """The product's releases, newest first."""

    model = Release
    extra = 0
    per_page = 20
    hide_title = True
    fields = ("link", "digest", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        """The rows without their texts."""
        rows: QuerySet[Release] = super().get_queryset(request).defer("manifest", "compose")
        return rows

    @display(description=_("version"))
    def link(self, release: Release) -> str:
        """The version, as a link to what it says."""
        address = reverse("admin:products_release_change", args=(release.pk,))
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, release.version
        )


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """Products come from the catalogue: here staff view, sell, retire and trust them."""

    list_display = ("name", "slug", "shown_state", "present_release", "plan_count", "order_count", "first_problem")
    list_filter = ("state", "is_trusted", HasImportError)
    list_select_related = ("present_release__product",)
    search_fields = ("name", "slug", "summary")
    actions = ("retire", "sell")
    actions_list = ("sync_catalogue",)
    inlines = (PlanInline, ReleaseInline)
    fieldsets = (
        (None, {"fields": ("name", "slug", "state", "summary", "shown_description", "shown_icon", "present_release")}),
        (_("Composition"), {"fields": ("drawing",)}),
        (_("Catalogue"), {"fields": ("import_problems", "is_trusted", "created_at", "updated_at")}),
    )

    class Media:
        css = {"all": ("products/pictures.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """The rows with their numbers of plans and orders."""
        same = Product.objects.filter(pk=OuterRef("pk")).order_by()
        plans = same.annotate(count=Count("plans", filter=Q(plans__state=Plan.State.OFFERED)))
        orders = same.annotate(count=Count("releases__orders"))
        rows: QuerySet[Product] = super().get_queryset(request)
        return rows.annotate(
            plans_offered=Subquery(plans.values("count")), orders_made=Subquery(orders.values("count"))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> tuple[str, ...]:
        """Everything is the catalogue's, but trust, which is given by those who may."""
        names = [name for _title, options in self.fieldsets for name in options["fields"]]
        may_trust = request.user.has_perm("products.trust_product")
        return tuple(name for name in names if name != "is_trusted" or not may_trust)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: products come from the catalogue."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Never: a product is retired."""
        return False

    def has_sell_permission(self, request: HttpRequest) -> bool:
        """Staff who may put products on sale and retire them."""
        return request.user.has_perm("products.sell_product")

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Staff who may sync the catalogue."""
        return request.user.has_perm("products.sync_catalogue")

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, product: Product) -> tuple[str, str]:
        """The state in a colour."""
        return product.state, product.get_state_display()

    @display(description=_("description"))
    def shown_description(self, product: Product) -> str:
        """The description as customers read it."""
        return format_html('<div class="product-description">{}</div>', description_html(product))

    @display(description=_("icon"))
    def shown_icon(self, product: Product) -> str:
        """The picture, or the name of the symbol."""
        if product.has_icon_file:
            return render_to_string("products/_icon.html", {"product": product})
        return product.icon or "-"

    @display(description=_("drawing"))
    def drawing(self, product: Product) -> str:
        """The composition that new orders get."""
        release = product.newest_release
        return composition_figure(release) if release else "-"

    @display(description=_("plans"), ordering="plans_offered")
    def plan_count(self, product: Product) -> int:
        """How many plans are offered."""
        return int(product.plans_offered)  # type: ignore[attr-defined]

    @display(description=_("orders"), ordering="orders_made")
    def order_count(self, product: Product) -> str:
        """How many orders there are, as a link to them."""
        address = reverse("admin:orders_order_changelist")
        count = product.orders_made  # type: ignore[attr-defined]
        return format_html('<a href="{}?release__product__id__exact={}">{}</a>', address, product.pk, count)

    @display(description=_("import"), ordering="import_error", label={"error": "danger"})
    def first_problem(self, product: Product) -> tuple[str, str] | str:
        """How many things the last import found wrong."""
        count = len(product.import_error.splitlines())
        text = ngettext("%(count)d problem", "%(count)d problems", count) % {"count": count}
        return ("error", text) if count else ""

    @display(description=_("import problems"))
    def import_problems(self, product: Product) -> str:
        """What the last import found wrong, line by line."""
        return format_html('<div style="white-space: pre-wrap">{}</div>', product.import_error or gettext("None."))

    @action(description=SYNC.title, permissions=["sync"], icon="sync")
    def sync_catalogue(self, request: HttpRequest) -> HttpResponse:
        """A worker will sync the catalogue."""
        if (page := confirm(self, request, SYNC)) is not None:
            return page
        request_catalogue_syncs(actor=request.user)  # type: ignore[arg-type]  # nobody anonymous gets here
        message = gettext("Catalogue sync requested; its result is shown here.")
        self.message_user(request, message, messages.SUCCESS)
        return redirect("admin:products_cataloguesync_changelist")

    @action(description=_("Retire selected products"), permissions=["sell"])
    def retire(self, request: HttpRequest, products: QuerySet[Product]) -> TemplateResponse | None:
        """The products cannot be ordered any more, once confirmed."""
        return change_rows(self, request, RETIRE, products)

    @action(description=_("Put selected products on sale"), permissions=["sell"])
    def sell(self, request: HttpRequest, products: QuerySet[Product]) -> TemplateResponse | None:
        """The products can be ordered, once confirmed."""
        return change_rows(self, request, SELL, products)
