"""The list of orders, one order, and its progress as it happens."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from core.api.search import holds
from customers.choices import Ability
from customers.models import Customer
from live.portal.access import customers_to_order_for, viewer, visible_order, wants_piece
from live.portal.connect.service_kinds import ServiceKind
from live.portal.order_page import availability_of, change_facts, order_facts
from live.portal.order_progress import STATES, label_of
from live.portal.overview.health import health_of
from live.portal.overview.needs import needs_of
from orders.choices import State, Wanted
from orders.models import Order, OrderQuerySet

PER_PAGE = 25
SEARCHED = ("name", "reference", "release__product__name", "customer__name")
STOP_POLLING = 286  # htmx's word for "this was the last one"


@login_required
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    """The orders of the viewer's customers, newest first."""
    user = viewer(request)
    orders = Order.objects.visible_to(user).with_names()
    found = matching(orders, request.GET.get("q", "").strip(), request.GET.get("state", ""))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    health = health_of([order.pk for order in page])
    rows = [(order, *label_of(State(order.state), Wanted(order.wanted)), health.get(order.pk)) for order in page]
    is_narrowed = bool(request.GET.get("q") or request.GET.get("state"))
    return render(
        request,
        "portal/order_list.html",
        {
            "page": page,
            "rows": rows,
            "query": request.GET.get("q", ""),
            "state": request.GET.get("state", ""),
            "states": [(state.value, label) for state, label in STATES.items()],
            "is_narrowed": is_narrowed,
            "needs": [] if is_narrowed or page.number > 1 else needs_of(user),
            "may_order": customers_to_order_for(user).exists(),
            "has_customers": Customer.objects.visible_to(user).exists(),
            "several_customers": len({order.customer_id for order in page}) > 1,
        },
    )


def matching(orders: OrderQuerySet, query: str, state: str) -> OrderQuerySet:
    """Those in `state` that mention `query` in a name or reference; removed ones only when asked for.

    References that begin with it come first: whoever types one means that order.
    """
    if query:
        begins = Case(When(reference__istartswith=query, then=0), default=1)
        orders = orders.filter(holds(Order, SEARCHED, query)).alias(begins=begins).order_by("begins", "-pk")
    if state in State.values:
        return orders.filter(state=state)
    return orders if query else orders.exclude(state=State.REMOVED)


@login_required
@require_safe
@never_cache
def order_page(request: HttpRequest, reference: str) -> HttpResponse:
    """One order: how far it is, where it answers, what it costs."""
    order = visible_order(request, reference)
    context = {**page_context(request, order), "availability": availability_of(order)}
    template = "portal/draft.html" if order.state == State.DRAFT else "portal/order.html"
    return render(request, template, context)


@require_safe
@never_cache
def order_progress(request: HttpRequest, reference: str) -> HttpResponse:
    """The moving pieces of the order page, or nothing while they look as they did; `digest` is that of the page.

    Once the order has settled, the answer also tells htmx to stop asking.
    """
    if not request.user.is_authenticated:  # signed out meanwhile: the page itself has to go and ask, not a piece of it
        return redirect_to_login(request.get_full_path()) if not wants_piece(request) else HttpResponseClientRefresh()
    order = visible_order(request, reference)
    context = page_context(request, order)
    was_shown = request.GET.get("secrets") == "shown"  # a card that may be open already is left alone
    had_map = request.GET.get("map") == "shown"
    if context["progress"].refresh_after and request.GET.get("digest") == context["digest"]:
        return HttpResponse(status=204)
    context |= {"is_update": True, "was_secrets_card": was_shown, "had_map": had_map}
    body = render_to_string("portal/_progress.html", context, request)
    return HttpResponse(body, status=200 if context["progress"].refresh_after else STOP_POLLING)


def page_context(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What the order page and its moving pieces show, with the digest by which a page knows whether it is behind."""
    user = viewer(request)
    abilities = user.abilities_at(order.customer)
    context = {**order_facts(order, user), "viewer": user}
    context |= {"may_steer": Ability.OPERATE in abilities, "may_order": Ability.ORDER in abilities}
    context |= change_facts(order, abilities)
    context["has_secrets_card"] = bool(
        context["secrets"] and context["may_steer"] and order.activated_at and context["can_be_removed"]
    )
    kinds = {endpoint.kind for endpoint in context["endpoints"]}
    context["has_map"] = ServiceKind.WMS in kinds and bool(order.activated_at) and order.wanted == Wanted.RUNNING
    context["live"] = render_to_string("portal/_live.html", context, request)
    context["side"] = render_to_string("portal/_side.html", context, request)
    context["timeline"] = render_to_string("portal/_timeline.html", context, request)
    moving = context["live"] + context["side"] + context["timeline"]
    context["digest"] = hashlib.sha256(moving.encode()).hexdigest()[:12]
    context["progress_url"] = reverse("portal:progress", args=(order.reference,))
    return context
