"""The roles of staff are as written, however often they are written."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from live.management.commands.write_roles import ROLES, permissions

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
