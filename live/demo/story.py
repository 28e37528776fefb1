"""One order through its whole life, and the summary that proves it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.files.storage import default_storage
from django.utils.text import slugify

from billing.models import Invoice
from core.engine.controller import controllers
from customers.models import Message
from infrastructure.models import Endpoint, Server
from infrastructure.provisioning.services import left_behind
from live.demo.cast import CUSTOMER_EMAIL, Cast
from live.demo.processes import DemoFailed
from monitoring.monitors.services import left_behind as still_watched
from orders.choices import State
from orders.models import Order
from orders.services import approve_order, create_order, place_order, remove_order
from products.models import Plan, Product

PATIENCE = 300.0  # seconds for any one step; the sandbox needs some fifteen
PRODUCT = "sdi-lite"


def start_order(cast: Cast, *, product: str = PRODUCT, name: str = "") -> Order:
    """A sandbox order of the customer's, placed and approved."""
    plan = Plan.objects.filter(product__slug=product, state=Plan.State.OFFERED).order_by("price").first()
    if plan is None:
        raise DemoFailed(f"The catalogue offers no {product}: {_catalogue_error(product)}")
    count = Order.objects.filter(customer=cast.customer).count()
    order = create_order(
        customer=cast.customer,
        plan=plan,
        name=name or f"Demonstration {count + 1}",
        inputs=_inputs_for(plan.product),
        sandbox=True,
        actor=cast.staff,
    )
    order = place_order(order=order, actor=cast.staff)
    if order.state == State.PENDING:
        order = approve_order(order=order, actor=cast.staff)
    return order


def _inputs_for(product: Product) -> dict[str, Any]:
    """What the customer types: a title and an address where they are asked, and something of each required type."""
    samples = {"string": "Example", "text": "Example", "email": CUSTOMER_EMAIL, "integer": 1, "boolean": True}
    own = {"title": "Maps of the Voorbeeld", "contact_email": CUSTOMER_EMAIL}
    release = product.newest_release
    values: dict[str, Any] = {}
    for spec in release.inputs if release else ():
        if spec["key"] in own:
            values[spec["key"]] = own[spec["key"]]
        elif spec.get("required") and spec.get("default") in (None, ""):
            values[spec["key"]] = spec["choices"][0]["value"] if spec["type"] == "choice" else samples[spec["type"]]
    return values


def wait_for(order: Order, state: State, *, watch: Callable[[], None]) -> None:
    """The order has reached `state`; raises DemoFailed when it needs a person or takes too long."""
    wait_until(lambda: _is_in(order, state), f"order {order.reference} is {state}", watch=watch, order=order)


def wait_until(holds: Callable[[], bool], goal: str, *, watch: Callable[[], None], order: Order) -> None:
    """`holds` is true; raises DemoFailed with the order's own reason otherwise."""
    end = time.monotonic() + PATIENCE
    while not holds():
        watch()
        if time.monotonic() > end:
            order.refresh_from_db()
            raise DemoFailed(f"Waited {PATIENCE:.0f} s until {goal}; it is {order.state}: {order.reason}")
        time.sleep(0.2)


def is_quiet(order: Order) -> bool:
    """True when no room has anything left to do for anybody, mails and invoices included."""
    return not any(controller.model._default_manager.unsettled().exists() for controller in controllers())


def remove_and_wait(order: Order, cast: Cast, *, watch: Callable[[], None]) -> None:
    """The order is removed, and everybody has been told."""
    remove_order(order=order, actor=cast.staff, why="End of the demonstration.")
    wait_for(order, State.REMOVED, watch=watch)
    wait_until(lambda: is_quiet(order), "everything is settled", watch=watch, order=order)


def check_results(order: Order) -> list[dict[str, Any]]:
    """What each endpoint of the running order last answered."""
    return [
        {
            "name": endpoint.name,
            "url": endpoint.url,
            "is_ok": endpoint.is_ok,
            "result": endpoint.public_message,
            "seconds": endpoint.seconds,
        }
        for endpoint in Endpoint.objects.filter(order=order)
    ]


def summary(order: Order, *, endpoints: list[dict[str, Any]]) -> dict[str, Any]:
    """What happened to the order, as `manage.py demo --once --json` prints it."""
    order.refresh_from_db()
    server = Server.objects.filter(order=order).first()
    return {
        "order": order.reference,
        "product": str(order.release),
        "states": [{"state": "draft", "at": order.created_at.isoformat()}, *_states(order)],
        "server": {"id": server.outside_id, "state": server.wanted} if server else None,
        "endpoints": endpoints,
        "mails": [
            {"subject": mail.subject, "to": mail.to, "sent_at": mail.sent_at.isoformat() if mail.sent_at else None}
            for mail in Message.objects.filter(key__contains=f":{order.reference}:").order_by("pk")
        ],
        "invoice": _invoice(order),
        "left_behind": [
            *(f"{remnant.kind} {remnant.name}" for remnant in left_behind(order)),
            *(f"{remnant.kind} {remnant.name}" for remnant in still_watched(order)),
        ],
    }


def _invoice(order: Order) -> dict[str, str] | None:
    invoice = Invoice.objects.filter(order=order).select_related("pdf").first()
    if invoice is None:
        return None
    return {"number": invoice.number, "total": str(invoice.total), "pdf": default_storage.path(invoice.pdf.path)}


def _states(order: Order) -> list[dict[str, str]]:
    events = order.events.filter(part="").exclude(state="").order_by("at", "pk")
    return [{"state": event.state, "at": event.at.isoformat()} for event in events]


def _is_in(order: Order, state: State) -> bool:
    order.refresh_from_db(fields=["state", "reason"])
    if order.state == State.ATTENTION:
        raise DemoFailed(f"Order {order.reference} needs attention: {order.reason}")
    return order.state == state


def _catalogue_error(slug: str) -> str:
    product = Product.objects.filter(slug=slugify(slug)).first()
    return product.import_error if product else "no such product; see CATALOGUE_URL"
