"""How staff see and keep customers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from customers.admin.customer_actions import anonymise, check_vat_id, invite_to, view_as_member
from customers.admin.customer_inlines import (
    AddressInline,
    ContactInline,
    CountryFilter,
    ExternalIdInline,
    MembershipInline,
)
from customers.admin.customer_page import page_of
from customers.admin.export import customers_as_csv, customers_as_xlsx
from customers.admin.forms import CustomerForm
from customers.display import found_elsewhere
from customers.models import Address, Contact, Customer, ExternalId, Membership
from customers.services import close_customer, new_customer_number, reopen_customer
from customers.vat_checks.services import is_checkable, is_configured, request_vat_check

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
    search_fields = ("number", "name", "email", "vat_id")
    search_help_text = _("Name, number, e-mail, VAT id, ID in WHMCS, order reference, domain or IP address")
    show_full_result_count = False
    change_list_template = "admin/import_export/change_list_import.html"
    change_form_template = "admin/customers/customer/page.html"
    actions_detail = ("edit", "invite", "view_as", "check_vat", "anonymise")
    actions = ("close", "reopen", "export", "export_workbook")
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Customers by their own fields, their people and other systems' ids, and by what the rooms above know."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        term = search_term.strip()
        if not term:
            return found, may_repeat
        people = Q(pk__in=Membership.objects.filter(user__email__iexact=term).values("customer"))
        contacts = Q(pk__in=Contact.objects.filter(email__iexact=term).values("customer"))
        ids = Q(pk__in=ExternalId.objects.filter(value=term).values("customer"))
        own = Q(pk__in=found.order_by().values("pk"))
        return queryset.filter(own | people | contacts | ids | found_elsewhere(term)), False

    def get_urls(self) -> list[URLPattern]:
        """The admin's own, and the two steps of reading a spreadsheet."""
        guarded = self.admin_site.admin_view
        return [
            path("import/", guarded(self.read_import), name="customers_customer_import"),
            path("process_import/", guarded(self.process_import), name="customers_customer_process_import"),
            *super().get_urls(),
        ]

    def read_import(self, request: HttpRequest) -> Any:
        """The form for a spreadsheet, and the preview of what it would change."""
        return self._spreadsheet_import().import_action(request)

    def process_import(self, request: HttpRequest) -> Any:
        """What was previewed is written."""
        return self._spreadsheet_import().process_import(request)

    def _spreadsheet_import(self) -> Any:
        from customers.admin.spreadsheet import CustomerImport  # with openpyxl 0.3 s, which no other page needs

        return CustomerImport(self.model, self.admin_site)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with a link to the import for whoever may use it."""
        shown = {
            "ie_base_change_list_template": "admin/change_list.html",
            "has_import_permission": self.has_import_permission(request),
        }
        return super().changelist_view(request, shown | (extra_context or {}))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page about the customer; the form is behind “Edit”."""
        customer = self.get_object(request, object_id) if request.method in ("GET", "HEAD") else None
        if customer is None or not self.has_view_permission(request, customer):
            return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        may_invite = self.has_invite_permission(request) and not customer.anonymised_at
        page = {**page_of(customer, request), "may_invite": may_invite}
        context = {**(extra_context or {}), "title": customer.name, **page}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def response_change(self, request: HttpRequest, obj: Customer) -> HttpResponse:
        """Saved, the page about the customer is shown."""
        response: HttpResponse = super().response_change(request, obj)
        if {"_continue", "_addanother", "_saveasnew"} & request.POST.keys():
            return response
        return redirect("admin:customers_customer_change", obj.pk)

    @action(description=_("Edit"), icon="edit", permissions=("edit", "view"), url_path="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form of the customer with addresses, contacts, members and external ids."""
        back = reverse("admin:customers_customer_change", args=(object_id,))
        form: HttpResponse = super().change_view(request, object_id, extra_context={"is_form": True, "back": back})
        return form

    @action(description=_("Invite a person"), icon="person_add", permissions=("invite", "view"), url_path="invite")
    def invite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Somebody is invited to become a member."""
        return invite_to(self, request, object_id)

    @action(description=_("View as member"), icon="visibility", permissions=("view_as", "view"), url_path="view-as")
    def view_as(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The portal as a member sees it."""
        return view_as_member(self, request, object_id)

    @action(description=_("Check VAT id"), icon="verified", permissions=("edit", "view"), url_path="check-vat")
    def check_vat(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """VIES is asked about the VAT id."""
        return check_vat_id(self, request, object_id)

    @action(
        description=_("Anonymise"),
        icon="person_off",
        variant=ActionVariant.DANGER,
        permissions=("anonymise", "view"),
        url_path="anonymise",
    )
    def anonymise(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What identifies the customer and its people is removed."""
        return anonymise(self, request, object_id)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What the person may do and what makes sense for this customer."""
        allowed = super().get_actions_detail(request, object_id)
        customer = self.get_object(request, str(object_id))
        pointless = set()
        if customer is None or not (is_configured() and is_checkable(customer.vat_id)):
            pointless.add("customers_customer_check_vat")
        if customer is None or not customer.memberships.exists():
            pointless.add("customers_customer_view_as")
        if customer is None or customer.anonymised_at:
            pointless |= {f"customers_customer_{name}" for name in ("edit", "invite", "anonymise")}
        return [found for found in allowed if found.action_name not in pointless]

    # unfold asks these with the row's id, Django without.

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change customers."""
        return request.user.has_perm("customers.change_customer")

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whoever may add and change customers."""
        return request.user.has_perms(("customers.add_customer", "customers.change_customer"))

    def has_invite_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may say who belongs to a customer."""
        return request.user.has_perm("customers.add_membership")

    def has_view_as_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may see the portal as a member does."""
        return request.user.has_perm("customers.view_as_member")

    def has_anonymise_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may anonymise customers."""
        return request.user.has_perm("customers.anonymise_customer")

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """A new customer gets its number; a changed VAT id has yet to be checked."""
        if not change:
            obj.number = new_customer_number()
        if "vat_id" in form.changed_data:
            obj.vat_id_checked_at = None
        super().save_model(request, obj, form, change)
        if "vat_id" in form.changed_data:
            request_vat_check(customer=obj)

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

    @action(description=_("Export selected customers (XLSX)"), permissions=["view"])
    def export_workbook(self, request: HttpRequest, customers: QuerySet[Customer]) -> FileResponse:
        """A download as a workbook."""
        return customers_as_xlsx(customers)
