"""The state of an order is pushed back to its service in WHMCS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F

from core import clock
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done, failed
from customers.whmcs.services import NotInWhmcs, get_client
from orders.choices import Move, State
from orders.followers import register_follower
from orders.models import Order, WhmcsService
from orders.whmcs.services import address_of, reconcile_all, reconcile_orders

STATUS = {
    State.ACTIVE: "Active",
    State.DEGRADED: "Active",
    State.SUSPENDED: "Suspended",
    State.REMOVED: "Terminated",
}
MARK = "[Geocat Live]"


class WhmcsServiceController(Controller[WhmcsService]):
    """Writes status, domain, address and a line of notes."""

    name = "whmcs service"
    model = WhmcsService
    lease_time = timedelta(seconds=180)
    max_attempts = 500
    related = ("order",)

    def act(self, row: WhmcsService) -> Outcome:
        """WHMCS shows the order's state; what staff wrote into the notes there is kept."""
        client = get_client()
        service = next(iter(client.services(service_id=row.service_id)), None)
        if service is None:
            return failed(f"WHMCS has no service {row.service_id}")
        order = Order.objects.get(pk=row.order_id)  # as it is now, however long WHMCS took
        state, address = State(order.state), address_of(order)
        fields: dict[str, Any] = {"notes": _notes(str(service.get("notes") or ""), order)}
        if state in STATUS and str(service.get("status")) != STATUS[state]:
            fields["status"] = STATUS[state]
        if address.domain:
            fields["domain"] = address.domain
        if address.ip:
            fields["dedicatedip"] = address.ip
        try:
            client.update_service(row.service_id, **fields)
        except NotInWhmcs:
            return failed(f"WHMCS has no service {row.service_id}")
        return done("Sent", sent_state=order.state, sent_at=clock.now())

    def on_lost_lease(self, row: WhmcsService) -> None:
        """What was written may have replaced what a later visit wrote: the present state is written once more."""
        again = {"wanted_version": F("wanted_version") + 1, "next_attempt_at": clock.now(), "attempts": 0}
        WhmcsService.objects.filter(pk=row.pk).update(**again)


def _notes(notes: str, order: Order) -> str:
    """The notes with our line replaced, or added at their end."""
    lines = [line for line in notes.splitlines() if not line.startswith(MARK)]
    return "\n".join((*lines, f"{MARK} {order.reference}: {order.state_label}. {order.reason}".strip()))


register(WhmcsServiceController())
register_follower("whmcs services", all=reconcile_all, orders=reconcile_orders, after=(Move.STATE,))
