"""What the services write, and what they refuse that no state decides: customers, products, names, inputs."""

from __future__ import annotations

import pytest

from core.errors import Refusal
from customers.models import Customer, User
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderEvent, OrderSecrets
from orders.services import (
    CustomerClosed,
    NotOnSale,
    approve_order,
    check_on_sale,
    confirm_order,
    create_order,
    edit_order,
    newest_release,
    place_order,
    remove_order,
    report,
    resume_order,
    retry_order,
    reveal_secrets,
    suspend_order,
)
from products.input_fields import InvalidInputs
from products.models import Plan, Product
from tests.factories import (
    MANIFEST,
    CustomerFactory,
    PlanFactory,
    ProductFactory,
    ReleaseFactory,
    UserFactory,
    make_draft,
)
from tests.orders.situations import SITUATIONS, active, failed, fresh, pending, suspended

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> User:
    """The member of staff who acts."""
    user: User = UserFactory.create(is_staff=True)
    return user


def last_event(order: Order) -> OrderEvent:
    """The newest line that somebody caused."""
    return order.events.filter(part="", state="").latest("pk")


def test_a_draft_has_a_reference_its_defaults_and_its_secrets() -> None:
    order = make_draft()
    assert order.reference.startswith("GL")
    assert order.key == f"live-{order.reference.lower()}"
    assert order.inputs == {"title": "Our maps"}
    assert {key: len(value) for key, value in order.secrets.values.items()} == {"admin_password": 24}
    assert (order.state, order.wanted, order.wanted_version) == (State.DRAFT, Wanted.RUNNING, 1)
    assert order.reason == "Draft: nothing has been created yet."


def test_two_orders_have_different_secrets_and_keep_them_sealed() -> None:
    first, second = make_draft(), make_draft()
    assert first.secrets.values != second.secrets.values
    raw = OrderSecrets.objects.extra(select={"raw": '"values"'}).values_list("raw", flat=True)
    assert not any(first.secrets.values["admin_password"] in str(text) for text in raw)
    assert first.secrets.values["admin_password"] not in f"{first.secrets!r} {first.secrets}"


def test_a_secret_without_a_length_has_24_characters() -> None:
    release = ReleaseFactory.create(manifest={**MANIFEST, "secrets": [{"key": "token"}, {"key": "pin", "length": 8}]})
    values = make_draft(release=release).secrets.values
    assert {key: len(value) for key, value in values.items()} == {"token": 24, "pin": 8}


def test_a_new_order_gets_the_newest_release_unless_one_is_named() -> None:
    product = ProductFactory.create()
    older, newer = ReleaseFactory.create(product=product), ReleaseFactory.create(product=product)
    plan, customer = PlanFactory.create(product=product), CustomerFactory.create()
    assert create_order(customer=customer, plan=plan, name="newest").release == newer
    assert create_order(customer=customer, plan=plan, name="named", release=older).release == older


def test_a_product_without_a_release_cannot_be_ordered() -> None:
    plan = PlanFactory.create()
    with pytest.raises(NotOnSale, match="has no release yet") as refusal:
        newest_release(plan.product)
    assert refusal.value.field == "plan"


def test_the_release_of_another_product_is_refused() -> None:
    with pytest.raises(NotOnSale, match="belongs to another product") as refusal:
        make_draft(plan=PlanFactory.create(), release=ReleaseFactory.create())
    assert refusal.value.field == "release"
    assert not Order.objects.exists()


@pytest.mark.parametrize("change", ["plan retired", "product withdrawn"])
def test_what_is_no_longer_offered_is_neither_ordered_nor_placed(change: str) -> None:
    draft = make_draft()
    if change == "plan retired":
        Plan.objects.update(state=Plan.State.RETIRED)
    else:
        Product.objects.update(state=next(state for state in Product.State if state != Product.State.ON_SALE))
    plan = Plan.objects.select_related("product").get(pk=draft.plan_id)
    with pytest.raises(NotOnSale, match="no longer offered"):
        check_on_sale(plan)
    with pytest.raises(NotOnSale):
        create_order(customer=draft.customer, plan=plan, release=draft.release, name="more maps")
    with pytest.raises(NotOnSale):
        place_order(order=draft)
    assert fresh(draft).state == State.DRAFT


def test_an_order_that_was_placed_is_approved_though_its_plan_is_retired() -> None:
    order = pending()
    Plan.objects.update(state=Plan.State.RETIRED)
    assert approve_order(order=order).state == State.PROVISIONING


@pytest.mark.parametrize("situation", ["draft", "pending"])
def test_nothing_starts_for_a_closed_customer(situation: str) -> None:
    order = SITUATIONS[situation]()
    Customer.objects.update(state=Customer.State.CLOSED)
    start = place_order if situation == "draft" else approve_order
    with pytest.raises(CustomerClosed, match="is closed; nothing can be ordered") as refusal:
        start(order=fresh(order))
    assert refusal.value.field == "customer"
    assert fresh(order).state == order.state


def test_a_closed_customers_order_can_still_be_suspended_resumed_and_removed() -> None:
    order = active()
    Customer.objects.update(state=Customer.State.CLOSED)
    order = suspend_order(order=order)
    order = resume_order(order=order)
    assert remove_order(order=order).state == State.REMOVING


def test_wrong_inputs_are_named_by_key_and_nothing_is_stored() -> None:
    with pytest.raises(InvalidInputs) as refusal:
        make_draft(inputs={"title": "x" * 61, "colour": "red"})
    assert set(refusal.value.errors) == {"title", "colour"}
    assert not Order.objects.exists()
    assert not OrderSecrets.objects.exists()


def test_a_draft_refuses_wrong_inputs_and_keeps_its_own() -> None:
    order = make_draft(inputs={"title": "Dikes"})
    with pytest.raises(InvalidInputs):
        edit_order(order=order, name="renamed", inputs={"title": "x" * 61})
    assert (fresh(order).name, fresh(order).inputs) == (order.name, {"title": "Dikes"})


def test_a_plan_that_approves_by_itself_says_so_and_names_nobody(actor: User) -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}), actor=actor)
    placed, approved = order.events.filter(message__in=("Order placed.", "Approved automatically (plan setting)."))
    assert (placed.actor, approved.actor) == (actor, None)
    assert order.approved_at is not None


@pytest.mark.parametrize(
    ("situation", "service", "message"),
    [
        ("active", suspend_order, "Suspension requested."),
        ("suspended", resume_order, "Resumption requested."),
        ("failed", retry_order, "Retry requested."),
        ("active", remove_order, "Removal requested."),
        ("active", confirm_order, "Re-checking every component."),
    ],
)
def test_the_timeline_says_who_asked_and_why(situation: str, service, message: str, actor: User) -> None:  # type: ignore[no-untyped-def]
    order = SITUATIONS[situation]()
    service(order=order, actor=actor, why="Asked by telephone.")
    event = last_event(order)
    assert (event.message, event.actor, event.is_public) == (f"{message} Asked by telephone.", actor, True)


def test_without_a_reason_the_line_ends_at_its_stop(actor: User) -> None:
    order = active()
    suspend_order(order=order, actor=actor)
    assert last_event(order).message == "Suspension requested."


def test_revealed_secrets_are_on_the_timeline_for_staff_only(actor: User) -> None:
    order = make_draft()
    assert reveal_secrets(order=order, actor=actor) == order.secrets.values
    event = last_event(order)
    assert (event.message, event.actor, event.is_public) == ("Secrets revealed.", actor, False)


def test_a_retry_asks_only_failed_work_again_and_forgets_no_component() -> None:
    order = failed()
    order = retry_order(order=order)
    part = order.parts.get()
    assert (part.state, part.version, order.wanted_version) == (PartState.FAILED, 1, 2)
    assert order.reason == "Waiting for the server."
    report(order.pk, Part.SERVER, PartState.READY, version=2)
    assert fresh(order).reason == "Waiting for the composition."


def test_a_confirmation_raises_the_version_of_an_order_that_runs() -> None:
    order = active()
    confirmed = confirm_order(order=order)
    assert (confirmed.wanted_version, confirmed.state) == (order.wanted_version + 1, State.PROVISIONING)


@pytest.mark.parametrize("situation", ["draft", "pending", "suspended", "removing", "removed"])
def test_a_confirmation_leaves_alone_what_does_not_run(situation: str) -> None:
    order = SITUATIONS[situation]()
    events = OrderEvent.objects.count()
    confirm_order(order=order)
    row = fresh(order)
    assert (row.wanted_version, row.state, OrderEvent.objects.count()) == (order.wanted_version, order.state, events)


def test_a_resumed_order_was_active_before_and_keeps_that_moment() -> None:
    order = suspended()
    first = order.activated_at
    order = resume_order(order=order)
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=order.wanted_version)
    row = fresh(order)
    assert (row.state, row.activated_at) == (State.ACTIVE, first)


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_draft_is_not_renamed_to_nothing(name: str) -> None:
    order = make_draft(name="maps")
    with pytest.raises(Refusal, match="Give the order a name") as refusal:
        edit_order(order=order, name=name, inputs={})
    assert refusal.value.field == "name"
    assert fresh(order).name == "maps"


def test_two_customers_may_use_one_name() -> None:
    first, second = make_draft(name="maps"), make_draft(name="maps")
    assert first.customer != second.customer
