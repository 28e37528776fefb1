"""What the members of a customer may do: the table, and the queries that follow it."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from billing.models import Invoice, Payment, Subscription
from customers.choices import ABILITIES, Ability, Role, roles_with
from customers.models import Customer, Membership, User
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft
from tests.portal.test_invoices import make_invoice

EXPECTED = {
    Ability.ORDER: {Role.OWNER},
    Ability.OPERATE: {Role.OWNER, Role.TECHNICAL},
    Ability.SEE_INVOICES: {Role.OWNER, Role.BILLING, Role.READ_ONLY},
    Ability.EDIT_BILLING: {Role.OWNER, Role.BILLING},
    Ability.MANAGE_TEAM: {Role.OWNER},
}


def test_every_role_and_ability_is_in_the_table() -> None:
    assert set(ABILITIES) == set(Role)
    assert set(EXPECTED) == set(Ability)
    assert {ability: set(roles_with(ability)) for ability in Ability} == EXPECTED


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("ability", Ability)
def test_a_member_may_what_the_role_includes_and_only_at_that_customer(role: Role, ability: Ability) -> None:
    membership = MembershipFactory(role=role)
    user: User = membership.user
    elsewhere: Customer = CustomerFactory()
    own: Customer = membership.customer
    allowed = role in EXPECTED[ability]
    assert user.may(ability, membership.customer) == allowed
    assert not user.may(ability, elsewhere)
    assert list(Customer.objects.where_may(user, ability)) == ([own] if allowed else [])


@pytest.mark.django_db
def test_several_customers_each_with_its_own_role() -> None:
    user: User = UserFactory()
    owned: Customer = MembershipFactory(user=user).customer
    billed: Customer = MembershipFactory(user=user, role=Role.BILLING).customer
    assert list(Customer.objects.where_may(user, Ability.ORDER)) == [owned]
    assert set(Customer.objects.where_may(user, Ability.SEE_INVOICES)) == {owned, billed}
    assert set(Customer.objects.visible_to(user)) == {owned, billed}


@pytest.mark.django_db
def test_a_membership_gives_staff_nothing() -> None:
    staff = UserFactory(is_staff=True)
    customer = MembershipFactory(user=staff).customer
    assert not any(staff.may(ability, customer) for ability in Ability)
    assert not any(Customer.objects.where_may(staff, ability).exists() for ability in Ability)


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_money_is_shown_to_roles_that_see_invoices(role: Role) -> None:
    order = make_draft()
    make_invoice(order, "2026-00001")
    user: User = MembershipFactory(customer=order.customer, role=role).user
    expected = ["2026-00001"] if role in EXPECTED[Ability.SEE_INVOICES] else []
    assert list(Invoice.objects.visible_to(user).values_list("number", flat=True)) == expected
    assert Subscription.objects.visible_to(user).exists() == bool(expected)
    assert not Payment.objects.visible_to(user).exists()


@pytest.mark.django_db
def test_viewers_of_the_version_before_become_read_only_and_back() -> None:
    viewer = MembershipFactory(role="viewer")
    migration = import_module("customers.migrations.0013_roles_of_members")
    migration.rename_viewers(apps, None)
    viewer.refresh_from_db()
    assert viewer.role == Role.READ_ONLY
    Membership.objects.filter(pk=viewer.pk).update(role=Role.TECHNICAL)
    migration.restore_viewers(apps, None)
    viewer.refresh_from_db()
    assert viewer.role == "viewer"
