"""Staff steer orders in the admin: by permission, confirmed, with a reason, and kept in the history."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from customers.models import Customer, User
from infrastructure.models import Provider
from orders.choices import OrderAction, Part, PartState, State, Wanted
from orders.models import Order, OrderEvent
from orders.services import (
    NotPossible,
    approve_order,
    edit_order,
    place_order,
    remove_order,
    report,
    resume_order,
    retry_order,
    suspend_order,
)
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
EVERYTHING = ("view_order", "add_order", "approve_order", "steer_order", "remove_order", "reveal_secrets")


def staff(*permissions: str) -> User:
    """Someone of the staff with these permissions."""
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def operator(client: Client) -> Client:
    """Signed in, with everything that orders know of."""
    client.force_login(staff(*EVERYTHING, "view_customer", "view_plan"))
    return client


def page(order: Order, action: str = "change") -> str:
    return f"{LIST}{order.pk}/{action}/"


def pending(**fields: Any) -> Order:
    return place_order(order=make_draft(**fields))


def active(**fields: Any) -> Order:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}, **fields))
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, "there", version=1)
    order.refresh_from_db()
    return order


def failed() -> Order:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    order.refresh_from_db()
    return order


def suspended() -> Order:
    order = suspend_order(order=active())
    report(order.pk, Part.COMPOSITION, PartState.SUSPENDED, version=2)
    order.refresh_from_db()
    return order


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


STEPS: dict[str, tuple[Any, dict[str, str], State, Wanted]] = {
    "place": (make_draft, {}, State.PENDING, Wanted.RUNNING),
    "approve": (pending, {}, State.PROVISIONING, Wanted.RUNNING),
    "suspend": (active, {"why": "Not paid."}, State.ACTIVE, Wanted.SUSPENDED),
    "resume": (suspended, {"why": "Paid."}, State.PROVISIONING, Wanted.RUNNING),
    "retry": (failed, {"why": "Quota raised."}, State.PROVISIONING, Wanted.RUNNING),
    "remove": (lambda: active(sandbox=True), {"why": "Contract ended."}, State.REMOVING, Wanted.REMOVED),
}
PERMISSION = {
    "place": "add_order",
    "approve": "approve_order",
    "suspend": "steer_order",
    "resume": "steer_order",
    "retry": "steer_order",
    "remove": "remove_order",
}
each_step = pytest.mark.parametrize("step", STEPS)


@each_step
def test_confirmed_step_is_taken_and_kept_in_the_history(operator: Client, step: str) -> None:
    make, given, state, wanted = STEPS[step]
    order = make()
    answer = operator.post(page(order, step), given, follow=True)
    order.refresh_from_db()
    assert (order.state, order.wanted) == (state, wanted)
    assert order.reference in messages_of(answer)
    entry = LogEntry.objects.get()
    assert entry.object_id == str(order.pk)
    assert given.get("why", "") in entry.change_message
    asked = OrderEvent.objects.filter(order=order, actor__isnull=False).last()
    assert asked is not None
    assert given.get("why", "") in asked.message


@each_step
def test_looking_at_a_step_changes_nothing(operator: Client, step: str) -> None:
    order = STEPS[step][0]()
    before = (order.state, order.wanted, order.wanted_version, OrderEvent.objects.count())
    answer = operator.get(page(order, step))
    order.refresh_from_db()
    assert answer.status_code == 200
    assert (order.state, order.wanted, order.wanted_version, OrderEvent.objects.count()) == before
    assert not LogEntry.objects.exists()


@each_step
def test_step_is_refused_to_staff_without_its_permission(client: Client, step: str) -> None:
    order = STEPS[step][0]()
    client.force_login(staff(*(one for one in EVERYTHING if one != PERMISSION[step])))
    assert client.post(page(order, step), STEPS[step][1]).status_code == 403
    assert page(order, step).encode() not in client.get(page(order)).content
    version = order.wanted_version
    order.refresh_from_db()
    assert (order.wanted_version, order.approved_at is None) == (version, step in ("place", "approve"))


@each_step
def test_step_sends_strangers_to_sign_in(client: Client, step: str) -> None:
    order = STEPS[step][0]()
    client.force_login(UserFactory())
    answer = client.post(page(order, step), STEPS[step][1])
    assert answer.status_code == 302
    assert "/admin/orders" not in answer.headers["Location"].split("?")[0]


@pytest.mark.parametrize("step", ["suspend", "remove"])
def test_step_that_takes_something_away_wants_a_reason(operator: Client, step: str) -> None:
    order = active(sandbox=True)
    assert operator.post(page(order, step), {"why": " "}).status_code == 200
    order.refresh_from_db()
    assert order.wanted == Wanted.RUNNING


def test_removal_says_what_is_destroyed_and_wants_the_reference_typed(operator: Client) -> None:
    order = active()
    assert b"the following is destroyed" in operator.get(page(order, "remove")).content
    operator.post(page(order, "remove"), {"why": "Contract ended.", "reference": "GL0000"})
    order.refresh_from_db()
    assert order.wanted == Wanted.RUNNING
    operator.post(page(order, "remove"), {"why": "Contract ended.", "reference": order.reference.lower()})
    order.refresh_from_db()
    assert order.wanted == Wanted.REMOVED


def test_step_that_does_not_fit_is_an_error_and_not_offered(operator: Client) -> None:
    order = make_draft()
    assert "Not possible" in messages_of(operator.post(page(order, "approve"), follow=True))
    content = operator.get(page(order)).content.decode()
    offered = [step for step in STEPS if page(order, step) in content]
    assert offered == ["place", "remove"]


def test_refusal_of_the_service_is_shown_on_the_page_that_asked(operator: Client) -> None:
    order = pending()
    Customer.objects.update(state=Customer.State.CLOSED)
    answer = operator.post(page(order, "approve"), follow=True)
    assert "is closed; nothing can be ordered" in answer.content.decode()
    assert not LogEntry.objects.exists()


SERVICES = {
    OrderAction.EDIT: lambda order: edit_order(order=order, name=order.name, inputs={}),
    OrderAction.PLACE: lambda order: place_order(order=order),
    OrderAction.APPROVE: lambda order: approve_order(order=order),
    OrderAction.SUSPEND: lambda order: suspend_order(order=order),
    OrderAction.RESUME: lambda order: resume_order(order=order),
    OrderAction.RETRY: lambda order: retry_order(order=order),
    OrderAction.REMOVE: lambda order: remove_order(order=order),
}


@pytest.mark.parametrize("action", OrderAction)
@pytest.mark.parametrize("make", [make_draft, pending, active, failed, suspended], ids=lambda make: make.__name__)
def test_what_is_offered_and_what_services_accept_agree(make: Any, action: OrderAction) -> None:
    order = make()
    offered = order.allows(action)
    if offered:
        SERVICES[action](order)
    else:
        with pytest.raises(NotPossible):
            SERVICES[action](order)


def test_secrets_are_shown_by_a_click_that_is_written_down(operator: Client) -> None:
    order = make_draft()
    secret = order.secrets.values["admin_password"]
    assert secret not in operator.get(page(order)).content.decode()
    assert secret not in operator.get(page(order, "secrets")).content.decode()
    answer = operator.post(page(order, "secrets"))
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    last = OrderEvent.objects.filter(order=order).last()
    assert last is not None
    assert (last.message, last.is_public) == ("Secrets revealed.", False)
    assert LogEntry.objects.get().change_message == "Secrets revealed."


def test_secrets_are_refused_without_their_permission(client: Client) -> None:
    order = make_draft()
    client.force_login(staff("view_order", "steer_order"))
    assert client.post(page(order, "secrets")).status_code == 403


def test_nobody_edits_or_deletes_an_order(client: Client) -> None:
    order = active()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.post(page(order), {"state": "removed", "name": "other"}).status_code == 403
    assert client.post(page(order, "delete"), {"post": "yes"}).status_code == 403
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_page_tells_what_a_draft_would_make(operator: Client) -> None:
    Provider.objects.create(slug="sandbox", name="Rehearsal cloud", kind=Provider.Kind.SANDBOX)
    content = operator.get(page(make_draft(sandbox=True))).content.decode()
    for words in (
        "Rehearsal cloud",
        "gateway",
        "Web Map Service (/wms)",
        "1 CPU, 2 GB memory, 20 GB disk",
        "sandbox order",
    ):
        assert words in content


def test_page_of_a_draft_says_that_no_provider_fits(operator: Client) -> None:
    assert "No enabled provider" in operator.get(page(make_draft())).content.decode()


def test_page_shows_parts_in_the_order_of_arrival_and_the_timeline(operator: Client) -> None:
    order = failed()
    content = operator.get(page(order)).content.decode()
    places = [content.index(f"<b>{part.label}</b>") for part in Part]
    assert places == sorted(places)
    assert "quota exceeded" in content
    assert "staff only" in content


def test_orders_are_approved_together_once_confirmed(operator: Client) -> None:
    orders = [pending(), pending(), active()]
    asked: dict[str, Any] = {"action": "approve_many", "_selected_action": [str(order.pk) for order in orders]}
    page = operator.post(LIST, asked).content.decode()
    assert f"{orders[0].reference} · {orders[0].name} · {orders[0].customer} · Map server · Small · €49.00" in page
    assert Order.objects.filter(state=State.PENDING).count() == 2
    answer = operator.post(LIST, {**asked, "confirmed": "yes"}, follow=True)
    assert Order.objects.filter(state=State.PENDING).count() == 0
    assert "2 changed" in messages_of(answer)
    assert f"{orders[2].reference}: Only an order that is pending" in messages_of(answer)
    assert LogEntry.objects.count() == 2


def test_orders_are_tried_again_together(operator: Client) -> None:
    orders = [failed(), failed()]
    asked = {"action": "retry_many", "_selected_action": [str(order.pk) for order in orders], "confirmed": "yes"}
    assert "2 changed" in messages_of(operator.post(LIST, asked, follow=True))
    assert not Order.objects.filter(needs_attention=True).exists()


@pytest.mark.parametrize("action", ["approve_many", "retry_many"])
def test_bulk_actions_are_refused_without_their_permission(client: Client, action: str) -> None:
    order = pending()
    client.force_login(staff("view_order"))
    client.post(LIST, {"action": action, "_selected_action": [str(order.pk)], "confirmed": "yes"})
    order.refresh_from_db()
    assert order.state == State.PENDING


def test_export_is_a_table_that_no_spreadsheet_runs(operator: Client) -> None:
    order = make_draft(name="=cmd|' /C calc'!A0")
    answer = operator.post(LIST, {"action": "export_csv", "_selected_action": [str(order.pk)]})
    head, line = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert head.startswith("reference,name,customer number,")
    assert line.startswith(f"{order.reference},'=cmd|' /C calc'!A0,{order.customer.number},")


def test_list_filters_those_that_need_a_person(operator: Client) -> None:
    waiting, broken, fine = pending(), failed(), active()
    content = operator.get(f"{LIST}?attention=yes").content.decode()
    assert [order.reference in content for order in (waiting, broken, fine)] == [True, True, False]


@pytest.mark.parametrize("term", ["reference", "name", "customer"])
def test_list_is_searched_by_reference_name_or_customer(operator: Client, term: str) -> None:
    order, other = make_draft(name="Dikes"), make_draft(name="Sewers")
    words = {"reference": order.reference, "name": "dikes", "customer": order.customer.number}
    content = operator.get(LIST, {"q": words[term]}).content.decode()
    assert (order.reference in content, other.reference in content) == (True, False)


def asked_for(**fields: Any) -> dict[str, Any]:
    release = ReleaseFactory()
    plan = PlanFactory.create(product=release.product)
    return {"customer": CustomerFactory.create().pk, "plan": plan.pk, "name": "Dikes", **fields}


def test_new_order_asks_the_inputs_of_its_plan_and_becomes_a_draft(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for(is_sandbox="on")
    first = operator.post(url, asked)
    assert not Order.objects.exists()
    assert b'value="Our maps"' in first.content
    second = operator.post(url, {**asked, "inputs_of": asked["plan"], "input_title": "All dikes"})
    order = Order.objects.get()
    assert second.headers["Location"] == page(order)
    assert (order.state, order.inputs, order.is_sandbox) == (State.DRAFT, {"title": "All dikes"}, True)
    assert LogEntry.objects.get().object_id == str(order.pk)


def test_wrong_input_is_said_at_its_field(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for()
    answer = operator.post(url, {**asked, "inputs_of": asked["plan"], "input_title": "x" * 61})
    assert answer.context["form"].errors == {"input_title": ["Use at most 60 characters."]}
    assert not Order.objects.exists()


def test_name_that_is_taken_is_said_at_the_name(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for()
    operator.post(url, {**asked, "inputs_of": asked["plan"]})
    answer = operator.post(url, {**asked, "inputs_of": asked["plan"]})
    assert answer.context["form"].errors == {"name": ["This customer already has an order of that name."]}


def test_another_plan_asks_its_own_inputs_first(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for()
    operator.post(url, {**asked, "inputs_of": "0", "input_title": "Of another plan"})
    assert not Order.objects.exists()


def test_closed_customer_cannot_be_chosen(operator: Client) -> None:
    asked = asked_for(customer=CustomerFactory.create(state=Customer.State.CLOSED).pk)
    answer = operator.post(reverse("admin:orders_order_add"), asked)
    assert "customer" in answer.context["form"].errors


def test_new_order_is_refused_without_permission(client: Client) -> None:
    client.force_login(staff("view_order"))
    assert client.get(reverse("admin:orders_order_add")).status_code == 403
    assert client.post(reverse("admin:orders_order_add"), asked_for()).status_code == 403


def test_draft_is_edited_until_it_is_placed(operator: Client) -> None:
    order = make_draft()
    operator.post(page(order, "edit"), {"name": "Dunes", "input_title": "All dunes"})
    order.refresh_from_db()
    assert (order.name, order.inputs) == ("Dunes", {"title": "All dunes"})
    place_order(order=order)
    assert "Only a draft" in messages_of(operator.post(page(order, "edit"), {"name": "Dams"}, follow=True))
    order.refresh_from_db()
    assert order.name == "Dunes"


@pytest.mark.parametrize("nonsense", ["zz", "99999999999999999999999", "-1"])
@pytest.mark.parametrize("name", ["plan", "customer"])
def test_address_altered_by_hand_is_as_if_nothing_was_chosen(operator: Client, name: str, nonsense: str) -> None:
    assert operator.get(f"{LIST}add/", {name: nonsense}).status_code == 200
    answer = operator.post(f"{LIST}add/", {name: nonsense})
    assert answer.context["form"].errors[name] == ["This field is required."]


def test_the_page_of_an_order_keeps_up_only_while_the_order_is_on_its_way(operator: Client) -> None:
    on_its_way = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    looks = [operator.get(page(order)).content.decode() for order in (on_its_way, active())]
    assert ["data-on-its-way" in html for html in looks] == [True, False]
    assert ["admin_live/order.js" in html for html in looks] == [True, False]
    assert all(f'data-live="{part}"' in html for html in looks for part in ("headline", "parts", "timeline"))
