"""The roles of staff are as written, however often they are written."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import reverse

from customers.models import User
from live.management.commands.write_roles import ROLES, ROOMS, permissions
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def codenames(role: str) -> set[str]:
    return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))


def test_writing_twice_changes_nothing_and_takes_back_what_was_added() -> None:
    call_command("write_roles", verbosity=0)
    before = {name: codenames(name) for name in ROLES}
    Group.objects.get(name="Support").permissions.add(Permission.objects.get(codename="remove_order"))
    call_command("write_roles", verbosity=0)
    assert {name: codenames(name) for name in ROLES} == before
    assert Group.objects.count() == 4


def test_support_sees_and_touches_nothing() -> None:
    call_command("write_roles", verbosity=0)
    assert {name.split("_")[0] for name in codenames("Support")} == {"view"}
    assert "view_order" in codenames("Support")
    assert "view_ordersecrets" not in codenames("Support")


def test_operator_runs_orders_and_does_not_settle_invoices() -> None:
    call_command("write_roles", verbosity=0)
    held = codenames("Operator")
    assert {"approve_order", "steer_order", "remove_order", "reveal_secrets", "change_provider"} <= held
    assert not {"settle_invoice", "appoint_staff", "trust_product", "change_group"} & held


def test_billing_settles_invoices_and_does_not_touch_orders() -> None:
    call_command("write_roles", verbosity=0)
    held = codenames("Billing")
    assert {"settle_invoice", "change_customer"} <= held
    assert not {"approve_order", "steer_order", "remove_order", "reveal_secrets"} & held


def test_administrator_holds_what_every_other_role_holds() -> None:
    call_command("write_roles", verbosity=0)
    for role in ("Operator", "Billing", "Support"):
        assert codenames(role) <= codenames("Administrator")
    assert {"appoint_staff", "change_group"} <= codenames("Administrator")


def test_permission_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match=r"no permission orders\.fly_order"):
        permissions(("orders.fly_order",))


def test_room_that_is_not_there_is_not_asked_for() -> None:
    assert permissions(("nowhere.view",)) == set()


def offered(user: User) -> set[str]:
    """Every action of every admin that is offered to `user`, by name; a page's own included."""
    request = RequestFactory().get("/admin/")
    request.user = user
    found = set()
    for model, model_admin in admin.site._registry.items():
        names = [*model_admin.get_actions(request)]
        for kind in ("list", "row"):
            names += [permission.action_name for permission in getattr(model_admin, f"get_actions_{kind}")(request)]
        names += [
            permission.action_name
            for permission in model_admin._filter_unfold_actions_by_permissions(  # type: ignore[attr-defined]
                request,
                model_admin._get_base_actions_detail(),  # type: ignore[attr-defined]
            )
        ]
        found |= {f"{model._meta.label}: {name}" for name in names}
    return found


def member(role: str) -> User:
    call_command("write_roles", verbosity=0)
    user: User = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def test_support_is_offered_exports_and_the_portal_of_a_member() -> None:
    assert offered(member("Support")) == {
        "billing.Invoice: billing_invoice_reports",
        "customers.Customer: export",
        "customers.Customer: export_workbook",
        "customers.Customer: customers_customer_view_as",
        "orders.Order: export_csv",
    }


def test_operator_is_offered_the_steps_of_an_order() -> None:
    steps = {"approve", "suspend", "resume", "retry", "remove", "show_secrets"}
    assert {f"orders.Order: orders_order_{step}" for step in steps} <= offered(member("Operator"))
    assert "billing.Invoice: mark_as_paid" not in offered(member("Operator"))


def test_billing_is_offered_payments_and_no_orders() -> None:
    assert {name for name in offered(member("Billing")) if name.startswith(("billing.Invoice:", "orders."))} == {
        "billing.Invoice: mark_as_paid",
        "billing.Invoice: collect",
        *(
            f"billing.Invoice: billing_invoice_{name}"
            for name in ("credit", "pay_back", "register_payment", "remind", "reports", "send_again")
        ),
        "orders.Order: export_csv",
    }


def test_support_may_add_change_and_delete_nothing() -> None:
    request = RequestFactory().get("/admin/")
    request.user = member("Support")
    for model, model_admin in admin.site._registry.items():
        may = (
            model_admin.has_add_permission(request),
            model_admin.has_change_permission(request),
            model_admin.has_delete_permission(request),
        )
        assert may == (False, False, False), model._meta.label


def test_support_opens_every_list_of_the_rooms(client: Client) -> None:
    client.force_login(member("Support"))
    for model in admin.site._registry:
        app = model._meta.app_label
        answer = client.get(reverse(f"admin:{app}_{model._meta.model_name}_changelist"))
        assert answer.status_code == (200 if app in ROOMS else 403), model._meta.label
