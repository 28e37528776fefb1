"""What a customer's form holds besides its own fields, and a filter of the list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline, TabularInline

from customers.admin.forms import AddressForm, MembershipFormSet
from customers.models import Address, Contact, Customer, ExternalId, Membership


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
