"""How staff put an order together: who, which plan, then what its release asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.errors import Refusal
from customers.models import Customer
from orders.admin.plan_field import PlanField
from orders.choices import State
from orders.models import Order
from orders.order_panels import Fact, registered_panels
from orders.services import create_order, edit_order, newest_release
from products.input_fields import InvalidInputs, form_field
from products.models import Plan, Product, Release

PREFIX = "input_"


class InputsForm(forms.Form):
    """The name, and a field for each input of a release; `products.input_fields` judges what is typed."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("The customer's name for it."),
        widget=widgets.UnfoldAdminTextInputWidget(),
    )
    release: Release | None = None

    def ask_inputs_of(self, release: Release, present: Mapping[str, Any] | None = None) -> None:
        """The form has the release's inputs, with its defaults or what is `present`."""
        self.release = release
        for spec in release.inputs:
            field = input_field(spec)
            if present is not None:
                field.initial = present.get(spec["key"], field.initial)
            self.fields[PREFIX + spec["key"]] = field

    @property
    def inputs(self) -> dict[str, Any]:
        """What was chosen, by input key."""
        specs = self.release.inputs if self.release else ()
        chosen = {spec["key"]: self.cleaned_data.get(PREFIX + spec["key"]) for spec in specs}
        return {key: "" if value is None else value for key, value in chosen.items()}

    def take_refusal(self, refusal: Refusal) -> None:
        """What a service refused is said at the field it is about."""
        errors = refusal.errors if isinstance(refusal, InvalidInputs) else {refusal.field: refusal.message}
        for key, message in errors.items():
            name = key if key in self.fields else PREFIX + key
            self.add_error(name if name in self.fields else None, message)


class NewOrderForm(InputsForm):
    """A new order: the inputs are asked once the plan is known."""

    customer = forms.ModelChoiceField(Customer.objects.exclude(state=Customer.State.CLOSED), label=_("Customer"))
    plan = PlanField(
        Plan.objects.filter(state=Plan.State.OFFERED, product__state=Product.State.ON_SALE).select_related("product"),
        label=_("Product and plan"),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    is_sandbox = forms.BooleanField(
        label=_("Sandbox"),
        required=False,
        help_text=_("Sandbox order: no real servers, no charges."),
        widget=widgets.UnfoldBooleanSwitchWidget(),
    )
    provider_slug = forms.ChoiceField(
        label=_("Provider"),
        required=False,
        help_text=_("Leave empty to choose automatically."),
        widget=widgets.UnfoldAdminSelectWidget(),
    )
    # The plan whose inputs were on the page: with another plan chosen, its inputs are asked first.
    inputs_of = forms.CharField(required=False, widget=forms.HiddenInput())
    field_order = ("customer", "plan", "name", "is_sandbox", "provider_slug", "inputs_of")

    def __init__(self, data: Any = None, *, admin_site: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["customer"]
        field.widget = AutocompleteSelect(Order._meta.get_field("customer"), admin_site)
        field.widget.choices = field.choices
        field.widget.is_required = True
        places = [place for room in registered_panels() for place in room.places()]
        self.fields["provider_slug"].choices = [("", gettext("Choose automatically")), *places]  # type: ignore[attr-defined]

    @classmethod
    def of_request(cls, request: HttpRequest, admin_site: Any) -> NewOrderForm:
        """The form as far as the request has filled it in."""
        if request.method != "POST":
            given = {key: value for key, value in request.GET.items() if key in cls.base_fields}
            return cls(admin_site=admin_site, initial=_without_nonsense(given))
        data = _without_nonsense(request.POST.copy())
        form = cls(data, admin_site=admin_site)
        plan = form.chosen_plan
        if plan is not None and (release := plan.product.newest_release) is not None:
            if form.asks_first(plan):
                data.update({PREFIX + spec["key"]: _default(spec) for spec in release.inputs})
            form.ask_inputs_of(release)
        return form

    @property
    def chosen_plan(self) -> Plan | None:
        """The plan on the form, if it can be ordered."""
        try:
            return self.fields["plan"].clean(self.data.get("plan"))  # type: ignore[no-any-return]
        except forms.ValidationError:
            return None

    @property
    def chosen_customer(self) -> Customer | None:
        """The customer on the form, if there is one who can order."""
        try:
            return self.fields["customer"].clean(self.data.get("customer"))  # type: ignore[no-any-return]
        except forms.ValidationError:
            return None

    def asks_first(self, plan: Plan) -> bool:
        """True when the inputs of `plan` have not been on the page yet."""
        return bool(self.data.get("inputs_of") != str(plan.pk))


D = TypeVar("D", bound=MutableMapping[str, Any])


def _without_nonsense(asked: D) -> D:
    """What was asked; a customer or plan that is no number, as in an address altered by hand, was not chosen."""
    for name in ("customer", "plan"):
        if name in asked and not re.fullmatch(r"[0-9]{1,18}", asked[name]):
            asked[name] = ""
    return asked


def _default(spec: Mapping[str, Any]) -> str:
    value = spec.get("default", "")
    if isinstance(value, bool):
        return "on" if value else ""
    return str(value)


# The theme's widget for each of Django's.
THEMED: Mapping[type[forms.Widget], type[forms.Widget]] = {
    forms.CheckboxInput: widgets.UnfoldBooleanSwitchWidget,
    forms.Select: widgets.UnfoldAdminSelectWidget,
    forms.Textarea: widgets.UnfoldAdminTextareaWidget,
    forms.NumberInput: widgets.UnfoldAdminTextInputWidget,
    forms.EmailInput: widgets.UnfoldAdminTextInputWidget,
    forms.TextInput: widgets.UnfoldAdminTextInputWidget,
}


def input_field(spec: Mapping[str, Any]) -> forms.Field:
    """The form field of one input in the admin's theme."""
    field = form_field(spec)
    widget = THEMED[type(field.widget)]()
    widget.is_required = field.required
    if isinstance(field, forms.ChoiceField):
        field.widget = widget
        field.widget.choices = field.choices
    else:
        widget.attrs.update(
            {name: field.widget.attrs[name] for name in ("maxlength", "rows") if name in field.widget.attrs}
        )
        field.widget = widget
    return field


def add_order(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, then the same with the plan's inputs, then the draft with its plan."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    form = NewOrderForm.of_request(request, model_admin.admin_site)
    if request.method == "POST" and form.is_valid():
        plan = form.cleaned_data["plan"]
        if not form.asks_first(plan) and (order := _create(form, request)) is not None:
            model_admin.log_addition(request, order, gettext("Order created."))
            messages.success(request, gettext("Draft created. Check its plan, then place it."))
            return redirect(reverse("admin:orders_order_change", args=(order.pk,)))
    plan = form.chosen_plan if form.is_bound else None
    if plan is not None:
        form.data["inputs_of"] = str(plan.pk)  # type: ignore[index]
    title = gettext("New order")
    return _page(model_admin, request, form, title=title, is_last=bool(form.release), original=None, price=_price(form))


def _price(form: NewOrderForm) -> list[Fact]:
    """What the order on the form would cost its customer, and why no VAT is charged where none is."""
    plan, customer = form.chosen_plan if form.is_bound else None, form.chosen_customer
    if plan is None or customer is None or form.release is None:
        return []
    is_sandbox = bool(form.data.get("is_sandbox"))
    order = Order(customer=customer, plan=plan, release=form.release, is_sandbox=is_sandbox)
    return [fact for room in registered_panels() for fact in room.price(order)]


def _create(form: NewOrderForm, request: HttpRequest) -> Order | None:
    asked = form.cleaned_data
    try:
        return create_order(
            customer=asked["customer"],
            plan=asked["plan"],
            name=asked["name"],
            inputs=form.inputs,
            release=form.release or newest_release(asked["plan"].product),
            sandbox=asked["is_sandbox"],
            provider_slug=asked["provider_slug"],
            actor=request.user,  # type: ignore[arg-type]
        )
    except Refusal as refusal:
        form.take_refusal(refusal)
        return None


def edit_draft(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """The draft's name and inputs, changed by the service."""
    order: Order | None = model_admin.get_object(request, object_id)
    if order is None:
        raise Http404
    back = reverse("admin:orders_order_change", args=(order.pk,))
    if order.state != State.DRAFT:
        messages.error(request, gettext("Only a draft can be edited."))
        return redirect(back)
    form = InputsForm(request.POST if request.method == "POST" else None, initial={"name": order.name})
    form.ask_inputs_of(order.release, order.inputs)
    if request.method == "POST" and form.is_valid():
        try:
            edit_order(order=order, name=form.cleaned_data["name"], inputs=form.inputs, actor=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.take_refusal(refusal)
        else:
            model_admin.log_change(request, order, gettext("Draft changed."))
            messages.success(request, gettext("Draft saved."))
            return redirect(back)
    return _page(model_admin, request, form, title=gettext("Edit draft"), is_last=True, original=order)


def _page(
    model_admin: Any,
    request: HttpRequest,
    form: InputsForm,
    *,
    title: str,
    is_last: bool,
    original: Order | None,
    price: Sequence[Fact] = (),
) -> HttpResponse:
    listing = reverse("admin:orders_order_changelist")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "original": original,
        "form": form,
        "media": form.media,
        "is_last": is_last,
        "price": price,
        "own_fields": [form[name] for name in form.fields if not name.startswith(PREFIX)],
        "input_fields": [form[name] for name in form.fields if name.startswith(PREFIX)],
        "back": reverse("admin:orders_order_change", args=(original.pk,)) if original else listing,
    }
    return TemplateResponse(request, "admin/orders/order/form.html", context)
