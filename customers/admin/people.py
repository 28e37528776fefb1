"""How staff see who may sign in, and as what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from customers.admin.forms import MembershipFormSet, PersonForm
from customers.models import Membership, User

POWERS = ("is_staff", "groups")
EVERY_POWER = ("is_superuser", "user_permissions")

admin.site.unregister(Group)


class CustomerInline(TabularInline):
    """The customers whose orders the user sees."""

    model = Membership
    extra = 0
    autocomplete_fields = ("customer",)
    formset = MembershipFormSet

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset knows who changes the memberships."""
        formset = super().get_formset(request, obj, **kwargs)
        return type("EditedMembershipFormSet", (formset,), {"editor": request.user})


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not subscriptable beside an untyped base
    """Staff and customers' people. Staff's own accounts are changed only by whoever may appoint staff."""

    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "full_name", "customer_count", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email", "memberships__customer__name")
    show_full_result_count = False
    ordering = ("username",)
    filter_horizontal = ()  # the theme's two columns are wider than the page
    inlines = (CustomerInline,)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email", "time_zone", "language")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "groups", "is_superuser", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """The rows with their number of customers."""
        same = User.objects.filter(pk=OuterRef("pk")).order_by().annotate(count=Count("memberships"))
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(customers_seen=Subquery(same.values("count")))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody gives more than he or she may."""
        locked = () if _may_appoint(request) else POWERS
        every = () if request.user.is_superuser else EVERY_POWER
        return (*super().get_readonly_fields(request, obj), *locked, *every)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever could change a colleague's e-mail address could sign in as that colleague."""
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """As for changing."""
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Accounts are deleted one by one: the list would not look whose they are."""
        actions: dict[str, Any] = super().get_actions(request)
        if not request.user.is_superuser:
            actions.pop("delete_selected", None)
        return actions

    @display(description=_("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name()

    @display(description=_("customers"), ordering="customers_seen")
    def customer_count(self, user: User) -> int:
        """How many customers the user belongs to."""
        return int(user.customers_seen)  # type: ignore[attr-defined]


def _may_appoint(request: HttpRequest) -> bool:
    return request.user.has_perm("customers.appoint_staff")


def _may_touch(request: HttpRequest, obj: User | None) -> bool:
    """True of customers' people; of staff only for who may appoint them, of superusers only for superusers."""
    if obj is None or request.user.is_superuser:
        return True
    if obj.is_superuser:
        return False
    return not obj.is_staff or _may_appoint(request)


@admin.register(Group)
class RoleAdmin(BaseGroupAdmin, ModelAdmin):
    """The roles of staff: what each may do."""
