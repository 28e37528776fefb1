"""What has to be true at the end of a run, whatever fell. Each function returns the faults that it found."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import yaml

from billing.models import BilledPeriod, Invoice, InvoicePdf, NumberSeries, Subscription
from core import clock
from core.engine.controller import controllers
from core.engine.queue import read_queue
from customers.models import Message
from infrastructure.models import Deployment
from infrastructure.sandbox.models import SandboxComposition, SandboxNode
from orders.choices import State, Wanted
from orders.models import Order, OrderChange
from products.models import Release
from tests.chaos.lives import GOALS, Life


def problems_of_orders(lives: Sequence[Life]) -> Iterator[str]:
    """Each order is where it was last wanted, by nobody's wish but its people's, and no change hangs.

    The change of a suspended order waits for its resumption.
    """
    pks = {life.pk: life.wanted for life in lives}
    yield from (
        f"order {life.pk} was not asked for {life.open_wishes} more things" for life in lives if life.open_wishes
    )
    orders = {order.pk: order for order in Order.objects.all()}
    if orders.keys() != pks.keys():
        yield f"{len(orders)} orders are there of {len(pks)} that were placed"
    for pk, order in orders.items():
        if order.wanted != pks[pk] or order.state != GOALS[pks[pk]]:
            yield f"{order.reference} is {order.state} and wanted {order.wanted}, not {pks[pk]}: {order.reason}"
    for change in OrderChange.objects.open().exclude(order__wanted=Wanted.SUSPENDED).select_related("order"):
        yield f"{change.order.reference}: its {change.kind} is still {change.state}"


def problems_outside() -> Iterator[str]:
    """In the sandbox's cloud is one server and one composition of each order that is not removed, and nothing else.

    An order that was suspended before its first launch has no composition.
    """
    rows = Order.objects.filter(is_sandbox=True).exclude(state=State.REMOVED).select_related("release")
    orders = {order.key: order for order in rows}
    nodes = Counter(SandboxNode.objects.values_list("name", flat=True))
    for name in nodes.keys() | orders.keys():
        wanted = int(name in orders)
        if nodes[name] != wanted:
            yield f"{nodes[name]} servers are called {name}, not {wanted}"
    compositions = {row.key: row for row in SandboxComposition.objects.all()}
    yield from (f"the composition {key} is an orphan" for key in compositions.keys() - orders.keys())
    launched = set(Deployment.objects.exclude(launched_at=None).values_list("order", flat=True))
    for key in orders.keys() - compositions.keys():
        order = orders[key]
        if order.wanted != Wanted.SUSPENDED or order.pk in launched:
            yield f"the composition {key} is lost; its order is {order.state}: {order.reason}"
    for key in compositions.keys() & orders.keys():
        yield from _problems_of_composition(compositions[key], orders[key])


def _problems_of_composition(row: SandboxComposition, order: Order) -> Iterator[str]:
    if row.is_stopped != (order.wanted == Wanted.SUSPENDED):
        yield f"{row.key} is {'stopped' if row.is_stopped else 'running'} and wanted {order.wanted}"
    change = OrderChange.objects.open().filter(order=order).select_related("from_release").first()
    releases = [order.release, *([change.from_release] if change else [])]
    running = {name: image.split("@")[0] for name, image in row.services.items()}
    if running not in [_images_of(release) for release in releases]:
        yield f"{row.key} runs {running} and not those of {', '.join(map(str, releases))}"


def _images_of(release: Release) -> dict[str, str]:
    return {name: service["image"] for name, service in yaml.safe_load(release.compose)["services"].items()}


def problems_of_billing() -> Iterator[str]:
    """Numbers are gapless; what has been active is billed, each period once and none left out; WHMCS bills its own."""
    numbers = defaultdict(list)
    for number in Invoice.objects.values_list("number", flat=True):
        series, counted = re.fullmatch(r"(.*-)(\d+)", number).groups()  # type: ignore[union-attr]
        numbers[series].append(int(counted))
    for series in NumberSeries.objects.all():
        drawn = sorted(numbers.pop(f"{series.series}{series.year}-", []))
        if drawn != list(range(1, series.last + 1)):
            yield f"the series {series} has the numbers {drawn}"
    if numbers:
        yield f"invoices belong to no series: {dict(numbers)}"
    active = set(Order.objects.exclude(activated_at=None).filter(whmcs_service=None).values_list("pk", flat=True))
    subscribed = list(Subscription.objects.values_list("order", flat=True))
    if Counter(subscribed) != Counter(active):
        yield f"subscriptions of {sorted(subscribed)} for the orders {sorted(active)} that have been active"
    for subscription in Subscription.objects.all():
        yield from _problems_of_periods(subscription)
    without = Invoice.objects.exclude(pk__in=InvoicePdf.objects.filter(sha256__gt="").values("invoice")).count()
    if without:
        yield f"{without} invoices have no document"


def _problems_of_periods(subscription: Subscription) -> Iterator[str]:
    periods = list(BilledPeriod.objects.filter(subscription=subscription).order_by("start"))
    edges = [(before.end, after.start) for before, after in itertools.pairwise(periods)]
    if not periods or periods[0].start != subscription.started_on or any(end != start for end, start in edges):
        yield f"{subscription} is billed for {', '.join(map(str, periods))}"
    if len({period.invoice_id for period in periods}) != len(periods):
        yield f"{subscription} has two periods on one invoice: {', '.join(map(str, periods))}"
    if subscription.state == Subscription.State.ACTIVE and subscription.next_invoice_on != periods[-1].end:
        yield f"{subscription} is billed up to {periods[-1].end} and next on {subscription.next_invoice_on}"


def problems_of_mail(letters: Counter[str], at_risk: int) -> Iterator[str]:
    """Each mail has left once; a letter whose acceptance could not be noted may be there again, and be recognised."""
    rows = {f"<{row.key.replace(':', '.')}@127.0.0.1>": row for row in Message.objects.all()}
    for message_id in letters.keys() ^ rows.keys():
        yield f"the letter {message_id} {'was never sent' if message_id in rows else 'belongs to no mail'}"
    yield from (f"{row.key} is not noted as sent" for row in rows.values() if row.sent_at is None)
    again = sum(letters.values()) - len(letters)
    if again > at_risk:
        yield f"{again} letters arrived again, where {at_risk} may: {letters.most_common(5)}"
    active = Order.objects.exclude(activated_at=None).values_list("reference", flat=True)
    for reference in active:
        if not Message.objects.filter(key__startswith=f"order:{reference}:active").exists():
            yield f"the customer of {reference} got no mail that it is active"
    invoices = Invoice.objects.count()
    if (mails := Message.objects.filter(key__startswith="invoice:").count()) != invoices:
        yield f"{mails} mails carry {invoices} invoices"


def problems_of_the_engine() -> Iterator[str]:
    """No row has anything to do or is held, and nothing waits on the queue."""
    for controller in controllers():
        rows = controller.model._default_manager
        if left := rows.unsettled().count():
            yield f"{left} rows of {controller.name} have something to do"
        if held := rows.filter(leased_until__gt=clock.now()).count():
            yield f"{held} rows of {controller.name} are held"
    if error := read_queue().error:
        yield f"the last sweep failed: {error}"
