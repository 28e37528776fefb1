"""The form of a new order: a field for every kind of input, in the admin's theme, with the rules of the release."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.test import Client, RequestFactory
from unfold import widgets

from core.errors import Refusal
from orders.admin.new_order import InputsForm, NewOrderForm, input_field
from orders.models import Order
from orders.services import place_order
from products.input_fields import InvalidInputs
from tests.factories import MANIFEST, AddressFactory, CustomerFactory, PlanFactory, ReleaseFactory, make_draft
from tests.orders.admin.conftest import staff
from tests.orders.situations import fresh

pytestmark = pytest.mark.django_db
ADD = "/admin/orders/order/add/"
INPUTS: tuple[dict[str, Any], ...] = (
    {"key": "title", "label": "Title", "type": "string", "default": "Our maps", "max_length": 60},
    {"key": "about", "label": "About", "type": "text"},
    {"key": "users", "label": "Users", "type": "integer", "default": 5, "min": 1, "max": 9},
    {"key": "public", "label": "Public", "type": "boolean", "default": True},
    {"key": "mail", "label": "Mail", "type": "email"},
    {
        "key": "size",
        "label": "Size",
        "type": "choice",
        "choices": [{"value": "s", "label": "Small"}, {"value": "l"}],
        "required": True,
    },
)
WIDGETS = {
    "title": widgets.UnfoldAdminTextInputWidget,
    "about": widgets.UnfoldAdminTextareaWidget,
    "users": widgets.UnfoldAdminTextInputWidget,
    "public": widgets.UnfoldBooleanSwitchWidget,
    "mail": widgets.UnfoldAdminTextInputWidget,
    "size": widgets.UnfoldAdminSelectWidget,
}


@pytest.mark.parametrize("spec", INPUTS, ids=lambda spec: spec["key"])
def test_every_kind_of_input_has_a_widget_of_the_theme(spec: dict[str, Any]) -> None:
    field = input_field(spec)
    assert type(field.widget) is WIDGETS[spec["key"]]
    assert field.label == spec["label"]
    assert field.widget.is_required == field.required == (spec["key"] == "size")


def test_a_choice_offers_its_options_by_label() -> None:
    field = input_field(INPUTS[-1])
    assert isinstance(field.widget, forms.Select)
    assert list(field.widget.choices) == [("", "Choose…"), ("s", "Small"), ("l", "l")]


def test_a_limit_of_characters_is_the_browsers_too() -> None:
    assert input_field(INPUTS[0]).widget.attrs["maxlength"] == "60"


def filled(**inputs: object) -> dict[str, object]:
    """What the form is filled with for a release with every kind of input."""
    release = ReleaseFactory.create(manifest={**MANIFEST, "inputs": list(INPUTS)})
    plan, customer = PlanFactory.create(product=release.product), CustomerFactory.create()
    body = {"customer": customer.pk, "plan": plan.pk, "name": "Dikes", "inputs_of": plan.pk}
    return {**body, **{f"input_{key}": value for key, value in inputs.items()}}


def test_inputs_of_every_kind_reach_the_draft_as_their_own_types(operator: Client) -> None:
    body = filled(title="Dikes", about="two\nlines", users="7", public="on", mail="a@example.org", size="l")
    operator.post(ADD, body)
    assert Order.objects.get().inputs == {
        "title": "Dikes",
        "about": "two\nlines",
        "users": 7,
        "public": True,
        "mail": "a@example.org",
        "size": "l",
    }


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("users", "10", "Use a number from 1 to 9."),
        ("users", "many", "Use a whole number."),
        ("mail", "nobody", "Use an e-mail address."),
        ("size", "xl", "Choose one of: s, l."),
        ("size", "", "This field is required."),
    ],
)
def test_a_wrong_input_is_explained_at_its_field(operator: Client, key: str, value: str, message: str) -> None:
    body = filled(**{"users": "7", "size": "l", key: value})
    answer = operator.post(ADD, body)
    assert answer.context["form"].errors == {f"input_{key}": [message]}
    assert not Order.objects.exists()


def test_the_first_page_is_filled_from_its_address(operator: Client) -> None:
    customer = CustomerFactory.create()
    form = operator.get(ADD, {"customer": customer.pk, "name": "Dikes", "_popup": "1"}).context["form"]
    assert form.initial == {"customer": str(customer.pk), "name": "Dikes"}


def test_a_form_has_no_inputs_before_a_plan_is_chosen() -> None:
    form = NewOrderForm.of_request(RequestFactory().get(ADD), admin.site)
    assert (form.release, form.inputs) == (None, {})
    assert form.chosen_plan is None


def test_refusals_are_said_where_they_belong() -> None:
    form = InputsForm({"name": "maps"})
    form.ask_inputs_of(ReleaseFactory.create())
    assert not form.is_valid() or form.inputs == {"title": ""}
    form.take_refusal(InvalidInputs({"title": "Too long."}))
    form.take_refusal(Refusal("Taken.", field="name"))
    form.take_refusal(Refusal("Closed.", field="somewhere"))
    assert form.errors == {"input_title": ["Too long."], "name": ["Taken."], "__all__": ["Closed."]}


def test_the_form_of_a_draft_shows_what_was_chosen(operator: Client) -> None:
    order = make_draft(inputs={"title": "Dikes"})
    form = operator.get(f"/admin/orders/order/{order.pk}/edit/").context["form"]
    assert (form["name"].value(), form["input_title"].value()) == (order.name, "Dikes")


def test_a_name_taken_meanwhile_is_said_on_the_form_of_the_draft(operator: Client) -> None:
    first = make_draft(name="maps")
    second = make_draft(name="other", customer=first.customer)
    answer = operator.post(f"/admin/orders/order/{second.pk}/edit/", {"name": "maps", "input_title": "x"})
    assert answer.context["form"].errors == {"name": ["This customer already has an order of that name."]}
    assert fresh(second).name == "other"


def test_a_draft_is_edited_only_by_who_may_add_orders(client: Client) -> None:
    order = make_draft(name="maps")
    client.force_login(staff("view_order", "steer_order"))
    assert client.post(f"/admin/orders/order/{order.pk}/edit/", {"name": "other"}).status_code == 403
    assert fresh(order).name == "maps"


def test_the_form_of_a_placed_order_leads_back_to_its_page(operator: Client) -> None:
    order = place_order(order=make_draft())
    answer = operator.get(f"/admin/orders/order/{order.pk}/edit/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/orders/order/{order.pk}/change/")


def offered_plans() -> dict[str, list[tuple[Any, str]]]:
    """The plans that the form offers, by product."""
    choices = NewOrderForm(admin_site=admin.site).fields["plan"].widget.choices
    return {name: plans for name, plans in choices if name}


def test_plans_are_offered_below_their_product(django_assert_num_queries: Any) -> None:
    for name in ("Maps", "Atlas"):
        product = ReleaseFactory.create(product__name=name).product
        for number in range(20):
            PlanFactory.create(product=product, slug=f"s{number}", name=f"Size {number}", price=100 - number)
    choices = NewOrderForm(admin_site=admin.site).fields["plan"].widget.choices
    with django_assert_num_queries(1):
        offered = {name: plans for name, plans in choices if name}
    assert {name: len(plans) for name, plans in offered.items()} == {"Atlas": 20, "Maps": 20}
    assert list(offered) == ["Atlas", "Maps"]
    assert offered["Atlas"][0][1].startswith("Atlas · Size 19: €81.00")


@pytest.mark.parametrize(
    ("country", "message"),
    [
        ("NL", ["€59.29: €49.00 and €10.29 VAT"]),
        ("US", ["€49.00: €49.00 and €0.00 VAT", "Outside the scope"]),
    ],
)
def test_form_says_the_price_for_its_customer_and_why_no_vat_is_charged(
    operator: Client, country: str, message: list[str]
) -> None:
    body = filled(size="l")
    address = AddressFactory.create(customer__currency="EUR", country=country)
    body |= {"customer": address.customer_id, "inputs_of": ""}
    facts = operator.post(ADD, body).context["price"]
    assert [fact.label for fact in facts] == ["First invoice", "Why no VAT"][: len(message)]
    assert all(fact.value.replace("\xa0", " ").startswith(word) for fact, word in zip(facts, message, strict=True))
    assert not Order.objects.exists()


@pytest.mark.parametrize("lacking", ["customer", "plan"])
def test_form_shows_no_price_before_customer_and_plan_are_chosen(operator: Client, lacking: str) -> None:
    answer = operator.post(ADD, {**filled(size="l"), lacking: ""})
    assert list(answer.context["price"]) == []


def test_price_of_a_sandbox_order_is_a_specimen(operator: Client) -> None:
    answer = operator.post(ADD, {**filled(size="l"), "is_sandbox": "on", "inputs_of": ""})
    assert "specimen, no charge" in answer.context["price"][0].value


def test_plans_are_offered_with_price_and_size() -> None:
    plan = PlanFactory.create()
    ReleaseFactory.create(product=plan.product)
    ((_value, label),) = offered_plans()[plan.product.name]
    assert label == f"{plan}: €49.00 / month, {plan.cpus} CPU, {plan.ram_gb} GB memory, {plan.disk_gb} GB disk, " + (
        plan.get_placement_display()
    )


def test_staff_are_asked_for_what_only_they_set() -> None:
    form = InputsForm()
    spec = {"key": "agent", "label": "Agent", "type": "string", "staff": True}
    form.ask_inputs_of(ReleaseFactory.create(manifest={**MANIFEST, "inputs": [spec]}))
    assert "input_agent" in form.fields
