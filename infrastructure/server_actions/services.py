"""Requesting, retrying and dismissing server actions. Rows and tasks only; workers call the provider."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import ConfigError, Refusal
from core.money import Money
from customers.models import User
from infrastructure.backends import get_powers
from infrastructure.contracts.cloud import Power, Powers
from infrastructure.contracts.sizing import fits
from infrastructure.models import ProviderOption, Server, ServerAction
from orders.choices import Part, Wanted
from orders.models import OrderEvent
from orders.part_reports import lock_orders

NEEDS_REASON = (Power.STOP, Power.REBOOT, Power.RESIZE)


class ServerActionNotPossible(Refusal):
    """The server, or its provider, does not allow this."""

    code = "not_possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeChoice:
    """A size that the server can be changed to, with its price."""

    size_id: str
    name: str
    cpus: int | None
    ram_gb: Decimal | None
    disk_gb: int | None
    price: Money | None = None
    difference: Money | None = None
    """Per month, compared with the current size; None where either price is unknown."""


def powers_over(server: Server) -> Powers:
    """The actions that the server's provider supports; read from its driver, without a call to the provider."""
    try:
        return get_powers(server.provider)
    except ConfigError:
        return Powers()  # a driver that cannot be loaded supports nothing


def choices_for(server: Server) -> list[SizeChoice]:
    """The other sizes on offer that have the order's promised capacity, cheapest first."""
    of_sizes = ProviderOption.objects.filter(provider=server.provider, kind=ProviderOption.Kind.SIZE)
    sizes = list(of_sizes.select_related("provider"))
    current = next((_price(size) for size in sizes if size.outside_id == server.size), None)
    fitting = [size for size in sizes if fits(size.as_offer, server.wish) and size.outside_id != server.size]
    fitting.sort(key=lambda size: (size.price is None, size.price or Decimal(0), size.name))
    return [_choice(size, current) for size in fitting]


def _choice(size: ProviderOption, current: Money | None) -> SizeChoice:
    price, difference = _price(size), None
    if price is not None and current is not None and price.currency == current.currency:
        difference = Money(price.amount - current.amount, current.currency)
    return SizeChoice(
        size_id=size.outside_id,
        name=size.name,
        cpus=size.cpus,
        ram_gb=size.ram_gb,
        disk_gb=size.disk_gb,
        price=price,
        difference=difference,
    )


def _price(size: ProviderOption) -> Money | None:
    return None if size.price is None else Money(size.price, size.currency or size.provider.currency)


@transaction.atomic
def request_server_action(
    *, server: Server, verb: Power, size_id: str = "", why: str = "", actor: User | None = None
) -> ServerAction:
    """A worker will run the action; failed actions of the same server are settled."""
    lock_orders([server.order_id])
    server = _locked(server)
    _check_possible(server, verb)
    if verb in NEEDS_REASON and not why.strip():
        raise ServerActionNotPossible(_("A reason is required."), field="why")
    if verb is Power.RESIZE:
        _check_size(server, size_id)
    for failed in server.server_actions.failed():
        _settle(failed, _("Replaced by another action."))
    server_action = ServerAction.objects.create(
        server=server,
        verb=verb,
        size_id=size_id if verb is Power.RESIZE else "",
        former_size=server.size,
        requested_by=actor,
        reason=why[:500],
        next_attempt_at=clock.now(),
    )
    message = _("Requested: %(action)s.") % {"action": server_action}
    note(server.order_id, f"{message} {server_action.reason}".strip(), actor=actor)
    enqueue_rows("server_action", [server_action.pk])
    return server_action


@transaction.atomic
def retry_server_action(*, server_action: ServerAction, actor: User | None = None) -> ServerAction:
    """The failed action continues from the server's current state; a reboot is requested once more."""
    lock_orders([server_action.server.order_id])
    server = _locked(server_action.server)
    server_action = ServerAction.objects.select_for_update().get(pk=server_action.pk)
    if not server_action.has_failed:
        raise ServerActionNotPossible(_("This action has not failed: there is nothing to retry."))
    _check_possible(server, Power(server_action.verb))
    server_action.wanted_version += 1
    (
        server_action.requested_step,
        server_action.requested_at,
        server_action.acknowledged_at,
        server_action.ended_at,
        server_action.outcome,
    ) = "", None, None, None, ""
    server_action.next_attempt_at, server_action.attempts, server_action.last_error = clock.now(), 0, ""
    server_action.save()
    note(server.order_id, _("%(action)s: retry requested.") % {"action": server_action}, actor=actor)
    enqueue_rows("server_action", [server_action.pk])
    return server_action


@transaction.atomic
def dismiss_server_action(*, server_action: ServerAction, why: str = "", actor: User | None = None) -> ServerAction:
    """The failed action is settled without being run again."""
    lock_orders([server_action.server.order_id])
    server_action = ServerAction.objects.select_for_update().get(pk=server_action.pk)
    if not server_action.has_failed:
        raise ServerActionNotPossible(_("Only a failed action can be dismissed."))
    resolution = f"{_('Dismissed.')} {why}".strip()
    _settle(server_action, resolution)
    note(server_action.server.order_id, f"{server_action}: {resolution}", actor=actor)
    return server_action


def dismiss_moot_actions() -> None:
    """Failed actions on servers that are being removed are settled."""
    for server_action in ServerAction.objects.failed().filter(server__wanted=Wanted.REMOVED):
        _settle(server_action, _("The order was removed."))


def note(order_pk: int, message: str, *, actor: User | None = None, public: bool = False) -> None:
    """The message is on the order's timeline."""
    OrderEvent.objects.create(
        order_id=order_pk, at=clock.now(), actor=actor, part=Part.SERVER, message=message, is_public=public
    )


def _locked(server: Server) -> Server:
    rows = Server.objects.select_related("order", "provider")
    return rows.select_for_update(of=("self",)).get(pk=server.pk)


def _check_possible(server: Server, verb: Power) -> None:
    if verb not in powers_over(server).verbs:
        raise ServerActionNotPossible(_unsupported_message(server, verb))
    if server.order.wanted == Wanted.REMOVED or server.wanted == Wanted.REMOVED:
        raise ServerActionNotPossible(_("The order is being removed, or has been removed."))
    if not server.outside_id:
        raise ServerActionNotPossible(_("The server has not been created yet."))
    if server.server_actions.unsettled().exists():
        raise ServerActionNotPossible(_("Another action on this server is in progress."))


def _unsupported_message(server: Server, verb: Power) -> str:
    names = {"provider": server.provider, "verb": str(ServerAction.Verb(verb).label).lower()}
    if not server.provider.makes_servers:
        return _("Servers of %(provider)s are existing machines: %(verb)s them outside Geocat Live.") % names
    return _("The driver of %(provider)s cannot %(verb)s servers.") % names


def _check_size(server: Server, size_id: str) -> None:
    if not size_id:
        raise ServerActionNotPossible(_("Choose a size."), field="size")
    if not server.size:  # then nothing shows when the resize is finished
        message = _("%(provider)s does not report the size of its servers: resize the server in its console.")
        raise ServerActionNotPossible(message % {"provider": server.provider})
    if size_id == server.size:
        raise ServerActionNotPossible(_("The server already has this size."), field="size")
    sizes = ProviderOption.objects.filter(provider=server.provider, kind=ProviderOption.Kind.SIZE)
    offered = sizes.filter(outside_id=size_id).first()
    if offered is None:
        raise ServerActionNotPossible(
            _("%(provider)s does not offer this size.") % {"provider": server.provider}, field="size"
        )
    if not fits(offered.as_offer, server.wish):
        raise ServerActionNotPossible(_("This size is smaller than the capacity promised to the order."), field="size")


def _settle(server_action: ServerAction, resolution: str) -> None:
    server_action.done_version, server_action.failed_version = server_action.wanted_version, 0
    server_action.outcome = f"{server_action.last_error} {resolution}".strip()
    server_action.ended_at, server_action.last_error = clock.now(), ""
    server_action.save(
        update_fields=("done_version", "failed_version", "outcome", "ended_at", "last_error", "updated_at")
    )
