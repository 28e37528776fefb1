"""Who may do what to an order: every role, every action, every door."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from customers.models import ApiToken, Membership, User
from orders.choices import OrderAction, Part, PartState, State
from orders.models import Order
from orders.part_reports import Report, report_many
from orders.services import approve_order, place_order, suspend_order
from tests.factories import MembershipFactory, PlanFactory, ReleaseFactory, UserFactory, make_draft
from tests.portal.confirming import signed_in_at

pytestmark = pytest.mark.django_db

STAFF = ("Operator", "Billing", "Support", "Administrator", "nobody's")
PEOPLE = ("owner", "technical", "billing", "read_only", "stranger")
MEMBERS = ("owner", "technical", "billing", "read_only")
CHANGES = (
    OrderAction.UPGRADE,
    OrderAction.ROLL_BACK,
    OrderAction.CHANGE_PLAN,
    OrderAction.CHANGE_INPUTS,
    OrderAction.ROTATE_SECRETS,
)
# Who is let through, by action: in the admin and by the API alike, save that customers never enter the admin.
ALLOWED = {
    OrderAction.EDIT: {"Operator", "Administrator", "owner"},
    OrderAction.PLACE: {"Operator", "Administrator", "owner"},
    OrderAction.APPROVE: {"Operator", "Administrator"},
    OrderAction.SUSPEND: {"Operator", "Administrator"},
    OrderAction.RESUME: {"Operator", "Administrator"},
    OrderAction.RETRY: {"Operator", "Administrator"},
    OrderAction.REMOVE: {"Operator", "Administrator", "owner"},
    **{action: {"Operator", "Administrator"} for action in CHANGES},
}
SEES = {"Operator", "Billing", "Support", "Administrator", *MEMBERS}
REVEALS = {"Operator", "Administrator", "owner", "technical"}
PREPARES = {"Operator", "Administrator", "owner", "technical"}
NOUNS = {
    OrderAction.APPROVE: "approval",
    OrderAction.SUSPEND: "suspension",
    OrderAction.RESUME: "resumption",
    OrderAction.RETRY: "retry",
    OrderAction.REMOVE: "removal",
}


def actor(role: str, order: Order) -> User:
    """Someone in `role`; staff are owners of the customer as well, which is to give them nothing."""
    if role in STAFF:
        user: User = UserFactory.create(is_staff=True)
        if role != "nobody's":
            call_command("write_roles", stdout=StringIO())
            user.groups.add(Group.objects.get(name=role))
        MembershipFactory.create(user=user, customer=order.customer)
        return user
    if role == "stranger":
        return MembershipFactory.create().user
    return MembershipFactory.create(customer=order.customer, role=Membership.Role(role)).user


def order_for(action: OrderAction) -> Order:
    """An order whose state allows `action`."""
    order = make_draft(plan_fields={"auto_approve": False})
    if action in (OrderAction.EDIT, OrderAction.PLACE):
        return order
    order = place_order(order=order)
    if action is OrderAction.APPROVE:
        return order
    order = approve_order(order=order)
    if action is OrderAction.RETRY:
        state = PartState.FAILED
        report_many([Report(order_pk=order.pk, part=Part.SERVER, state=state, version=order.wanted_version)])
    if action not in NOUNS:
        ready = [Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS]
        report_many([Report(order_pk=order.pk, part=part, state=PartState.READY, version=1) for part in ready])
    if action is OrderAction.RESUME:
        order = suspend_order(order=order)
    order.refresh_from_db()
    assert order.allows(action)
    return order


def choice_for(action: OrderAction, order: Order) -> str:
    """The query by which the admin's page knows what was chosen."""
    product = order.release.product
    if action is OrderAction.CHANGE_PLAN:
        return f"?to={PlanFactory.create(product=product, slug='large').pk}"
    if action in (OrderAction.UPGRADE, OrderAction.ROLL_BACK):
        release = ReleaseFactory.create(product=product)
        if action is OrderAction.ROLL_BACK:  # to what it had before
            Order.objects.filter(pk=order.pk).update(release=release)
            return f"?to={order.release_id}"
        return f"?to={release.pk}"
    return ""


def version(order: Order) -> tuple[str, int, bool]:
    order.refresh_from_db()
    return order.state, order.wanted_version, order.approved_at is None


@pytest.mark.parametrize("role", STAFF + PEOPLE)
@pytest.mark.parametrize("action", list(OrderAction))
def test_the_admin_lets_through_who_may(action: OrderAction, role: str, client: Client) -> None:
    order = order_for(action)
    client.force_login(actor(role, order))
    asked = {
        "why": "Asked by telephone.",
        "reference": order.reference,
        "name": "Renamed",
        "input_title": "Maps",
        "keys": list(order.secrets.values),
    }
    choice = choice_for(action, order)
    before = (*version(order), order.name)
    client.post(f"/admin/orders/order/{order.pk}/{action.value}/{choice}", asked)
    changed = (*version(order), order.name) != before
    assert changed == (role in ALLOWED[action] and role in STAFF)


@pytest.mark.parametrize("role", STAFF + PEOPLE)
@pytest.mark.parametrize("action", list(NOUNS))
def test_the_api_lets_through_who_may(action: OrderAction, role: str) -> None:
    order = order_for(action)
    _row, token = ApiToken.objects.create(user=actor(role, order))
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = caller.post(f"/api/v1/orders/{order.reference}/{NOUNS[action]}/", {}, format="json")
    expected = 202 if role in ALLOWED[action] else 403 if role in SEES else 404
    assert answer.status_code == expected, answer.content


@pytest.mark.parametrize("role", STAFF + PEOPLE)
def test_the_api_shows_an_order_to_who_may_see_it(role: str) -> None:
    order = make_draft()
    _row, token = ApiToken.objects.create(user=actor(role, order))
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert caller.get(f"/api/v1/orders/{order.reference}/").status_code == (200 if role in SEES else 404)
    assert caller.get("/api/v1/orders/").json()["results"] == [] or role in SEES


@pytest.mark.parametrize("role", STAFF + PEOPLE)
def test_the_portal_lets_prepare_and_discard_who_may(role: str, client: Client) -> None:
    order = make_draft()
    client.force_login(actor(role, order))
    client.post(f"/orders/{order.reference}/draft/", {"name": "Renamed", "input_title": "Maps"})
    order.refresh_from_db()
    assert (order.name == "Renamed") == (role in PREPARES and role not in STAFF)
    client.post(f"/orders/{order.reference}/removal/")
    order.refresh_from_db()
    assert (order.state == State.REMOVED) == (role in PREPARES and role not in STAFF)


@pytest.mark.parametrize("role", STAFF + PEOPLE)
def test_drafts_are_discarded_by_who_prepares_them(role: str) -> None:
    order = make_draft()
    _row, token = ApiToken.objects.create(user=actor(role, order))
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = caller.post(f"/api/v1/orders/{order.reference}/removal/", {}, format="json")
    assert (answer.status_code == 202) == (role in PREPARES)


@pytest.mark.parametrize("role", STAFF + PEOPLE)
def test_the_portal_lets_owners_place_and_remove_and_nobody_else(role: str, client: Client) -> None:
    order = make_draft(plan_fields={"auto_approve": False})
    client.force_login(actor(role, order))
    client.post(f"/orders/{order.reference}/placing/")
    order.refresh_from_db()
    assert (order.state == State.PENDING) == (role == "owner")
    if order.state == State.DRAFT:
        place_order(order=order)
    client.post(f"/orders/{order.reference}/removal/", {"confirm": order.reference})
    order.refresh_from_db()
    assert (order.state == State.REMOVED) == (role == "owner")


@pytest.mark.parametrize("role", STAFF + PEOPLE)
def test_secrets_are_revealed_to_who_may(role: str, client: Client) -> None:
    order = order_for(OrderAction.SUSPEND)
    person = actor(role, order)
    client.force_login(person)
    signed_in_at(client, person)
    (secret,) = order.secrets.values.values()
    admin = client.post(f"/admin/orders/order/{order.pk}/secrets/")
    portal = client.post(f"/orders/{order.reference}/secrets/")
    assert (secret in admin.content.decode()) == (role in REVEALS and role in STAFF)
    assert (secret in portal.content.decode()) == (role in REVEALS and role not in STAFF)


@pytest.mark.parametrize("role", STAFF + PEOPLE)
def test_new_orders_are_put_together_by_who_may(role: str, client: Client) -> None:
    order = make_draft()
    user = actor(role, order)
    _row, token = ApiToken.objects.create(user=user)
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    asked = {"customer": order.customer.number, "product": order.plan.product.slug, "plan": order.plan.slug}
    answer = caller.post("/api/v1/orders/", {**asked, "name": "Second", "place": False}, format="json")
    assert (answer.status_code == 201) == (role in PREPARES), answer.content
    placed = caller.post("/api/v1/orders/", {**asked, "name": "Fourth", "place": True}, format="json")
    assert (placed.status_code == 201) == (role in ALLOWED[OrderAction.PLACE]), placed.content
    client.force_login(user)
    in_admin = {"customer": order.customer_id, "plan": order.plan_id, "name": "Third", "inputs_of": order.plan_id}
    client.post("/admin/orders/order/add/", in_admin | {"input_title": "Maps"})
    assert Order.objects.filter(name="Third").exists() == (role in ("Operator", "Administrator"))
