"""How staff see and keep customers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from customers.admin.export import customers_as_csv
from customers.admin.forms import AddressForm, CustomerForm, MembershipFormSet
from customers.models import Address, Contact, Customer, ExternalId, Membership
from customers.services import close_customer, new_customer_number, reopen_customer

STATES = {Customer.State.ACTIVE: "success", Customer.State.INACTIVE: "warning", Customer.State.CLOSED: "danger"}

CLOSE = ConfirmedAction(
    title=_("Close"),
    says=_("Nothing can be ordered for these customers any more. What runs goes on until its order is removed."),
    verb=lambda customer: close_customer(customer=customer),
    is_destructive=True,
)
REOPEN = ConfirmedAction(
    title=_("Reopen"),
    says=_("These customers can order again."),
    verb=lambda customer: reopen_customer(customer=customer),
)


class CountryFilter(admin.SimpleListFilter):
    """Customers by the country of their general address."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The countries that occur."""
        rows = Address.objects.filter(kind=Address.Kind.GENERAL).order_by("country")
        return [(code, code) for code in rows.values_list("country", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """The rows chosen."""
        if not self.value():
            return queryset
        return queryset.filter(addresses__kind=Address.Kind.GENERAL, addresses__country=self.value())


class AddressInline(StackedInline):
    """Where the customer is, and wants its invoices."""

    model = Address
    form = AddressForm
    extra = 0
    max_num = len(Address.Kind)


class ContactInline(TabularInline):
    """Who is told things."""

    model = Contact
    hide_title = True
    extra = 0


class MembershipInline(TabularInline):
    """Who may sign in and see what the customer has."""

    model = Membership
    hide_title = True
    extra = 0
    autocomplete_fields = ("user",)
    formset = MembershipFormSet

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset knows who changes the memberships."""
        formset = super().get_formset(request, obj, **kwargs)
        return type("EditedMembershipFormSet", (formset,), {"editor": request.user})


class ExternalIdInline(TabularInline):
    """What other systems call the customer."""

    model = ExternalId
    hide_title = True
    extra = 0


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    """Who pays."""

    form = CustomerForm
    list_display = (
        "name",
        "number",
        "shown_state",
        "kind",
        "email",
        "country",
        "language",
        "order_count",
        "created_at",
    )
    list_filter = ("state", "kind", CountryFilter, "language")
    search_fields = ("number", "name", "email", "vat_id", "external_ids__value")
    search_help_text = _("Name, number, e-mail, VAT id, or the id in another system")
    show_full_result_count = False
    actions = ("close", "reopen", "export")
    inlines = (AddressInline, ContactInline, MembershipInline, ExternalIdInline)
    readonly_fields = ("number", "state", "vat_id_checked_at", "order_count", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("number", "state", "kind", "name", "email", "phone", "is_new_customer", "order_count")}),
        (_("Invoices"), {"fields": ("vat_id", "vat_id_checked_at", "currency", "language")}),
        (_("For staff"), {"fields": ("notes", "created_at", "updated_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        """The question about duplicates is asked of new customers only."""
        if obj is None:
            return self.fieldsets
        title, options = self.fieldsets[0]
        names = tuple(name for name in options["fields"] if name != "is_new_customer")
        return ((title, {**options, "fields": names}), *self.fieldsets[1:])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """The rows with their country and number of orders."""
        general = Address.objects.filter(customer=OuterRef("pk"), kind=Address.Kind.GENERAL).values("country")[:1]
        same = Customer.objects.filter(pk=OuterRef("pk")).order_by().annotate(count=Count("orders"))
        rows: QuerySet[Customer] = super().get_queryset(request)
        return rows.annotate(general_country=Subquery(general), orders_made=Subquery(same.values("count")))

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """A new customer gets its number; a changed VAT id has yet to be checked."""
        if not change:
            obj.number = new_customer_number()
        if "vat_id" in form.changed_data:
            obj.vat_id_checked_at = None
        super().save_model(request, obj, form, change)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Whoever may change customers may close them."""
        return request.user.has_perm("customers.change_customer")

    @display(description=_("state"), ordering="state", label=STATES)
    def shown_state(self, customer: Customer) -> tuple[str, str]:
        """The state in a colour."""
        return customer.state, customer.get_state_display()

    @display(description=_("country"), ordering="general_country")
    def country(self, customer: Customer) -> str:
        """The country of the general address."""
        return str(customer.general_country or "")  # type: ignore[attr-defined]

    @display(description=_("orders"), ordering="orders_made")
    def order_count(self, customer: Customer) -> str:
        """How many orders there are, as a link to them."""
        if customer.pk is None:
            return "0"
        address = reverse("admin:orders_order_changelist")
        count = customer.orders_made  # type: ignore[attr-defined]
        link = '<a class="text-primary-600 dark:text-primary-500" href="{}?customer__id__exact={}">{}</a>'
        return format_html(link, address, customer.pk, count)

    @action(description=_("Close selected customers"), permissions=["close"])
    def close(self, request: HttpRequest, customers: QuerySet[Customer]) -> TemplateResponse | None:
        """Nothing can be ordered for the customers any more, once confirmed."""
        return change_rows(self, request, CLOSE, customers)

    @action(description=_("Reopen selected customers"), permissions=["close"])
    def reopen(self, request: HttpRequest, customers: QuerySet[Customer]) -> TemplateResponse | None:
        """The customers can order again, once confirmed."""
        return change_rows(self, request, REOPEN, customers)

    @action(description=_("Export selected customers (CSV)"), permissions=["view"])
    def export(self, request: HttpRequest, customers: QuerySet[Customer]) -> StreamingHttpResponse:
        """A download for a spreadsheet."""
        return customers_as_csv(customers)
