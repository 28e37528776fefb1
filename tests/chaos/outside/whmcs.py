"""Orders that come from WHMCS by the calls of its module, and clients that arrive and change there during the run."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.contrib.auth.models import Permission

from billing.models import Subscription
from core import clock
from core.errors import Refusal
from core.signatures import HEADER, sign
from customers.models import Customer, ExternalId, WhmcsConflict, WhmcsSync
from customers.services import issue_token
from customers.whmcs.services import request_sync
from customers.whmcs.simulator.records import example_records
from customers.whmcs.simulator.server import IDENTIFIER, SECRET, Simulator, running
from orders.choices import OrderAction, State
from orders.models import Order, WhmcsService
from orders.whmcs.services import address_of
from orders.whmcs.tasks import MARK, STATUS
from products.models import Release
from tests.chaos.lives import PATIENCE, Life, patiently
from tests.chaos.outside.part import OutsidePart
from tests.chaos.plan import SECONDS, PlannedLife
from tests.chaos.proxy import Proxy, tcp_proxy
from tests.factories import UserFactory

HOOK_SECRET = "a-secret-of-the-hooks-0123456789abcdef"
CLIENTS = 3  # at first; one more arrives at each second change
CHANGE_EVERY, SYNC_EVERY = 9.0, 25.0  # seconds
EVERY_NTH = 4  # order comes from WHMCS
AT_ONCE = 2  # times that each call arrives
STAFF_NOTE = "Call first"
NOUNS = {
    OrderAction.SUSPEND: "suspension",
    OrderAction.RESUME: "resumption",
    OrderAction.REMOVE: "removal",
}


class Module:
    """The module in WHMCS: each call arrives twice at the same moment, and is repeated while nobody answers."""

    def __init__(self, site_url: str) -> None:
        self._services = f"{site_url}/api/v1/whmcs/services/"
        self.token = ""

    def call(self, path: str, service_id: int, body: Mapping[str, Any]) -> None:
        """It was carried out; raises Refusal where the site refuses it."""
        until = time.monotonic() + PATIENCE
        while True:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                sent = [threads.submit(self._send, path, service_id, body) for _time in range(AT_ONCE)]
            answers = [answer for call in sent if (answer := call.result()) is not None]
            if any(answer.ok for answer in answers):
                return
            refused = [answer for answer in answers if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR]
            if refused:
                raise Refusal(refused[0].text)
            if time.monotonic() > until:
                raise TimeoutError(f"nobody answers the module: {[answer.text for answer in answers]}")
            time.sleep(0.3)

    def _send(self, path: str, service_id: int, body: Mapping[str, Any]) -> requests.Response | None:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(service_id)}
        with suppress(requests.RequestException):
            return requests.post(self._services + path, json=body, headers=headers, timeout=(5, 20))
        return None


class ServiceLife(Life):
    """An order that is a service of WHMCS."""

    def __init__(self, planned: PlannedLife, releases: list[Release], order_fields: dict[str, Any]) -> None:
        self._module: Module = order_fields.pop("module")
        self._client: dict[str, Any] = order_fields.pop("client")
        self._service_id: int = order_fields.pop("service_id")
        super().__init__(planned, releases, order_fields)

    def _place(self) -> None:
        plan = self._fields["plan"]
        body = {
            "service_id": self._service_id,
            "client": {**self._client, "userid": self._client["id"]},
            "product": plan.product.slug,
            "plan": plan.slug,
            "name": self._fields["name"],
            "sandbox": True,
        }
        self._module.call("", self._service_id, body)
        self.pk = patiently(lambda: WhmcsService.objects.get(service_id=self._service_id).order_id)
        self.wanted = self.order().wanted

    def _act(self, order: Order, verb: OrderAction) -> Order:
        if verb not in NOUNS:
            return super()._act(order, verb)
        self._module.call(f"{self._service_id}/{NOUNS[verb]}/", self._service_id, {})
        return order


class Whmcs(OutsidePart):
    """Sells some of the run's orders; its clients are customers, and its services show how the orders are."""

    def __init__(self, proxy: Proxy, *, simulator: Simulator, listens_on: int) -> None:
        super().__init__(proxy)
        self._simulator = simulator
        self._module = Module(settings.SITE_URL)
        self._changes_left = range(1, max(int(SECONDS * 0.8 / CHANGE_EVERY), 4) + 1)
        self._next_sync = SYNC_EVERY
        self._was_synced_at_last = False
        self._own_customers = 0
        self.environment = {
            "WHMCS_URL": f"http://127.0.0.1:{listens_on}/whmcs",
            "WHMCS_IDENTIFIER": IDENTIFIER,
            "WHMCS_SECRET": SECRET,
            "WHMCS_WEBHOOK_SECRET": HOOK_SECRET,
        }
        self.settings = self.environment

    def set_up(self) -> None:
        """The module has a token."""
        user = UserFactory(username="whmcs", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="serve_whmcs"))
        self._module.token = issue_token(user=user, name="WHMCS")[1]

    def cast(self, order_fields: Sequence[dict[str, Any]]) -> None:
        """Some of the orders are services, whose clients take turns; the first of them are not synced yet."""
        self._own_customers = Customer.objects.count()
        sandboxed = [fields for fields in order_fields[1::EVERY_NTH] if fields["sandbox"]]
        for number, fields in enumerate(sandboxed):
            client = self._simulator.records.clients[number % CLIENTS + 1]
            service_id = self._simulator.records.add_service(client["id"], notes=STAFF_NOTE)
            fields |= {"life": ServiceLife, "module": self._module, "client": client, "service_id": service_id}

    def live_on(self, seconds: float, lives: Sequence[Life]) -> None:
        """Clients have arrived and changed; each hook is sent twice, and the clock asks for a sync of all."""
        if self._changes_left and seconds >= self._changes_left[0] * CHANGE_EVERY:
            number, self._changes_left = self._changes_left[0], self._changes_left[1:]
            hook, client_id = self.change(number)
            Thread(target=self._send_hook, args=(hook, client_id), daemon=True).start()
        if seconds >= self._next_sync:
            self._next_sync += SYNC_EVERY
            patiently(request_sync)
        if seconds >= SECONDS and not (self._changes_left or self._was_synced_at_last):
            patiently(lambda: request_sync(is_deep=True))
            self._was_synced_at_last = True

    def change(self, number: int) -> tuple[str, int]:
        """A client has arrived, or moved; returns the hook that tells of it."""
        records = self._simulator.records
        if number % 2:
            return "ClientAdd", records.add_client()
        client_id = random.Random(number).choice(list(records.clients))  # noqa: S311
        records.clients[client_id] |= {"companyname": f"Waterschap {number}", "city": "Ede"}
        return "ClientEdit", client_id

    def _send_hook(self, hook: str, client_id: int) -> None:
        body = json.dumps({"hook": hook, "client_id": client_id}).encode()
        headers = {HEADER: sign(HOOK_SECRET, body, at=clock.now()), "Content-Type": "application/json"}
        for _time in range(AT_ONCE):
            with suppress(requests.RequestException):  # the next sync finds it
                requests.post(f"{settings.SITE_URL}/hooks/whmcs/", data=body, headers=headers, timeout=(2, 10))

    def is_over(self) -> bool:
        """True once the clock has asked for a sync after the last change."""
        return self._was_synced_at_last

    def problems(self) -> Iterator[str]:
        """One order for each service, one customer for each client, and both sides show the same."""
        records = self._simulator.records
        services = {row.service_id: row for row in WhmcsService.objects.select_related("order__customer")}
        if services.keys() != records.services.keys():
            yield f"the services {sorted(records.services)} of WHMCS are {sorted(services)} here"
        for service_id in services.keys() & records.services.keys():
            yield from _problems_of_service(services[service_id], records.services[service_id])
        yield from _problems_of_customers(records.clients, self._own_customers)
        if billed := Subscription.objects.exclude(order__whmcs_service=None).count():
            yield f"{billed} services are billed here and in WHMCS"


def _problems_of_service(row: WhmcsService, shown: Mapping[str, Any]) -> Iterator[str]:
    order = row.order
    state = State(order.state)
    domain = address_of(order).domain
    if shown["status"] != STATUS[state] or (domain and shown["domain"] != domain):
        yield f"{row} is {shown['status']} at “{shown['domain']}” in WHMCS; {order.reference} is {state} at “{domain}”"
    first, *ours = shown["notes"].splitlines()
    if (
        first != STAFF_NOTE
        or len(ours) != 1
        or not ours[0].startswith(f"{MARK} {order.reference}: {order.state_label}.")
    ):
        yield f"{row} has the notes {shown['notes']!r}; {order.reference} is {state}"
    if not ExternalId.objects.filter(customer=order.customer, system="whmcs", value=shown["clientid"]).exists():
        yield f"{order.reference} belongs to {order.customer}, and its service to client {shown['clientid']}"


def _problems_of_customers(clients: Mapping[int, Mapping[str, Any]], others: int) -> Iterator[str]:
    linked = {
        int(row.value): row.customer for row in ExternalId.objects.filter(system="whmcs").select_related("customer")
    }
    if linked.keys() != clients.keys() or Customer.objects.count() != others + len(clients):
        yield (
            f"the clients {sorted(clients)} of WHMCS are the customers {sorted(linked)}; "
            f"of {Customer.objects.count()} customers {others} are our own"
        )
    for client_id in linked.keys() & clients.keys():
        client, customer = clients[client_id], linked[client_id]
        name = client["companyname"] or f"{client['firstname']} {client['lastname']}"
        if (customer.name, customer.email) != (name, client["email"]):
            yield f"client {client_id} is {name} in WHMCS and {customer} here"
    open_conflicts = WhmcsConflict.objects.filter(resolved_at=None)
    yield from (f"client {row.client_id} of WHMCS has a conflict: {row.kind}" for row in open_conflicts)
    yield from (f"a sync with WHMCS failed: {sync.last_error}" for sync in WhmcsSync.objects.failed())


@contextmanager
def on_stage(folder: Path) -> Iterator[Whmcs]:
    """The simulated WHMCS behind a proxy."""
    with running(Simulator(records=example_records(CLIENTS))) as simulator:
        port = urlsplit(simulator.url).port or 0
        with tcp_proxy("127.0.0.1", port) as (proxy, listens_on):
            yield Whmcs(proxy, simulator=simulator, listens_on=listens_on)
