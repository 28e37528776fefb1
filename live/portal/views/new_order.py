"""A new order: choose a product, choose a plan, say what you want, look it over."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.db.models import Min, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import Refusal
from infrastructure.models import Provider
from live.portal.access import customers_to_order_for, own_order, viewer, wants_piece
from live.portal.forms import OrderForm, SandboxOffer
from orders.choices import OrderAction
from orders.services import check_on_sale, create_order, edit_order, newest_release
from products.models import Plan, Product
from products.models.product import ProductQuerySet


def products_to_order() -> ProductQuerySet:
    """Products with a release and a plan on offer; their cheapest price is `from_price`."""
    offered = Plan.objects.filter(state=Plan.State.OFFERED).order_by("price")
    return (
        Product.objects.on_sale()
        .filter(releases__isnull=False)
        .annotate(from_price=Min("plans__price", filter=Q(plans__state=Plan.State.OFFERED)))
        .filter(from_price__isnull=False)
        .prefetch_related(Prefetch("plans", offered))
    )


def sandbox_offer() -> SandboxOffer | None:
    """Whether an order can be rehearsed: only where a sandbox takes orders."""
    kinds = set(Provider.objects.filter(is_enabled=True).values_list("kind", flat=True))
    if Provider.Kind.SANDBOX not in kinds:
        return None
    return SandboxOffer(is_all_there_is=len(kinds) == 1)


@login_required
@require_safe
def choose_product(request: HttpRequest) -> HttpResponse:
    """What can be ordered."""
    may_order = customers_to_order_for(viewer(request)).exists()
    return render(request, "portal/choose_product.html", {"products": products_to_order(), "may_order": may_order})


@login_required
@require_safe
def choose_plan(request: HttpRequest, product: str) -> HttpResponse:
    """The sizes of a product and their prices."""
    chosen = get_object_or_404(products_to_order(), slug=product)
    may_order = customers_to_order_for(viewer(request)).exists()
    return render(
        request,
        "portal/choose_plan.html",
        {"product": chosen, "plans": chosen.plans.all(), "release": newest_release(chosen), "may_order": may_order},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft_order(request: HttpRequest, product: str, plan: str) -> HttpResponse:
    """The inputs that the product asks for; then a draft to look over."""
    chosen = get_object_or_404(Plan.objects.select_related("product"), product__slug=product, slug=plan)
    customers = customers_to_order_for(viewer(request))
    if not customers:
        return redirect("portal:choose_product")
    try:
        check_on_sale(chosen)
        release = newest_release(chosen.product)
    except Refusal as refusal:  # it was on sale when the page before this one was made
        messages.error(request, refusal.message)
        return redirect("portal:choose_product")
    form = OrderForm(request.POST or None, release=release, customers=customers, sandbox=sandbox_offer())
    if (piece := errors_of_one_field(request, form)) is not None:
        return piece
    if request.method == "POST" and form.is_valid():
        try:
            order = create_order(
                customer=form.customer,
                plan=chosen,
                release=release,
                name=form.cleaned_data["name"],
                inputs=form.inputs,
                sandbox=form.is_sandbox,
                actor=viewer(request),
            )
        except Refusal as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("portal:order", reference=order.reference)
    context = {"form": form, "plan": chosen, "product": chosen.product}
    return render(request, "portal/order_form.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_draft(request: HttpRequest, reference: str) -> HttpResponse:
    """The name and inputs of a draft, to be changed."""
    order = own_order(request, reference)
    if not order.allows(OrderAction.EDIT):
        return redirect("portal:order", reference=reference)
    form = OrderForm(request.POST or None, release=order.release, inputs=order.inputs, initial={"name": order.name})
    if (piece := errors_of_one_field(request, form)) is not None:
        return piece
    if request.method == "POST" and form.is_valid():
        try:
            edit_order(order=order, name=form.cleaned_data["name"], inputs=form.inputs, actor=viewer(request))
        except Refusal as refusal:
            form.add_refusal(refusal)
        else:
            return redirect("portal:order", reference=reference)
    context = {"form": form, "plan": order.plan, "product": order.release.product, "order": order}
    return render(request, "portal/order_form.html", context, status=422 if form.errors else 200)


def errors_of_one_field(request: HttpRequest, form: OrderForm) -> HttpResponse | None:
    """What is wrong with the field that was just filled in, when htmx asks for that; nothing is stored."""
    if request.method != "POST" or not wants_piece(request):
        return None
    name = request.headers.get("HX-Trigger-Name", "")
    if name not in form.fields:
        raise BadRequest("No such field")
    return render(request, "portal/_errors.html", {"field": form[name]})
