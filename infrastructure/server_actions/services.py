"""What staff may ask of a server that stands. Rows and requests only; workers do it."""

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


class NotPossible(Refusal):
    """The server, or its provider, does not allow this."""

    code = "not_possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A size that a server may be given, and what it would cost."""

    size_id: str
    name: str
    cpus: int | None
    ram_gb: Decimal | None
    disk_gb: int | None
    price: Money | None = None
    difference: Money | None = None
    """A month, against the present size; None where either price is not told."""


def powers_over(server: Server) -> Powers:
    """What can be asked of the server, as its provider goes; the outside is not asked."""
    try:
        return get_powers(server.provider)
    except ConfigError:
        return Powers()  # a driver that cannot be loaded can nothing


def choices_for(server: Server) -> list[Choice]:
    """The sizes on offer that keep the order's promise, without the present one; the cheapest first."""
    of_sizes = ProviderOption.objects.filter(provider=server.provider, kind=ProviderOption.Kind.SIZE)
    sizes = list(of_sizes.select_related("provider"))
    now = next((_price(one) for one in sizes if one.outside_id == server.size), None)
    fitting = [one for one in sizes if fits(one.as_offer, server.wish) and one.outside_id != server.size]
    fitting.sort(key=lambda one: (one.price is None, one.price or Decimal(0), one.name))
    return [_choice(one, now) for one in fitting]


def _choice(one: ProviderOption, now: Money | None) -> Choice:
    price = _price(one)
    is_told = price is not None and now is not None and price.currency == now.currency
    return Choice(
        size_id=one.outside_id,
        name=one.name,
        cpus=one.cpus,
        ram_gb=one.ram_gb,
        disk_gb=one.disk_gb,
        price=price,
        difference=Money(price.amount - now.amount, now.currency) if is_told and price and now else None,
    )


def _price(one: ProviderOption) -> Money | None:
    return None if one.price is None else Money(one.price, one.currency or one.provider.currency)


@transaction.atomic
def request_server_action(
    *, server: Server, verb: Power, size_id: str = "", why: str = "", actor: User | None = None
) -> ServerAction:
    """A worker will see to it; what failed before on this server is no longer waited for."""
    lock_orders([server.order_id])
    server = _held(server)
    _check_possible(server, verb)
    if verb in NEEDS_REASON and not why.strip():
        raise NotPossible(_("Say why."), field="why")
    if verb is Power.RESIZE:
        _check_size(server, size_id)
    _settle_failed(server, _("Replaced by another action."))
    server_action = ServerAction.objects.create(
        server=server,
        verb=verb,
        size_id=size_id if verb is Power.RESIZE else "",
        former_size=server.size,
        requested_by=actor,
        reason=why[:500],
        next_attempt_at=clock.now(),
    )
    note(server.order_id, _requested_message(server_action), actor=actor)
    enqueue_rows("server_action", [server_action.pk])
    return server_action


@transaction.atomic
def retry_server_action(*, server_action: ServerAction, actor: User | None = None) -> ServerAction:
    """What failed goes on from where the server stands; a reboot is told once more, because a person has asked."""
    lock_orders([server_action.server.order_id])
    server = _held(server_action.server)
    server_action = ServerAction.objects.select_for_update().get(pk=server_action.pk)
    if not server_action.has_failed:
        raise NotPossible(_("This action has not failed: there is nothing to retry."))
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
    words = _("%(action)s: retry requested.") % {"action": server_action}
    note(server.order_id, words, actor=actor)
    enqueue_rows("server_action", [server_action.pk])
    return server_action


@transaction.atomic
def dismiss_server_action(*, server_action: ServerAction, why: str = "", actor: User | None = None) -> ServerAction:
    """What failed stays undone, and waits for nobody."""
    lock_orders([server_action.server.order_id])
    server_action = ServerAction.objects.select_for_update().get(pk=server_action.pk)
    if not server_action.has_failed:
        raise NotPossible(_("Only a failed action can be dismissed."))
    words = f"{_('Dismissed.')} {why}".strip()
    _settle(server_action, words)
    note(server_action.server.order_id, f"{server_action}: {words}", actor=actor)
    return server_action


def dismiss_moot_actions() -> None:
    """What failed on servers that are going, or gone, waits for nobody."""
    for server_action in ServerAction.objects.failed().filter(server__wanted=Wanted.REMOVED):
        _settle(server_action, _("The order was removed."))


def note(order_pk: int, message: str, *, actor: User | None = None, public: bool = False) -> None:
    """It is on the order's timeline."""
    OrderEvent.objects.create(
        order_id=order_pk, at=clock.now(), actor=actor, part=Part.SERVER, message=message, is_public=public
    )


def _held(server: Server) -> Server:
    rows = Server.objects.select_related("order", "provider")
    return rows.select_for_update(of=("self",)).get(pk=server.pk)


def _check_possible(server: Server, verb: Power) -> None:
    if verb not in powers_over(server).verbs:
        raise NotPossible(cannot_words(server, verb))
    if server.order.wanted == Wanted.REMOVED or server.wanted == Wanted.REMOVED:
        raise NotPossible(_("The order is being removed, or is gone."))
    if not server.outside_id:
        raise NotPossible(_("The server is not there yet."))
    if server.server_actions.unsettled().exists():
        raise NotPossible(_("Another action on this server is in progress."))


def cannot_words(server: Server, verb: Power) -> str:
    """Why the server's provider cannot do this."""
    if not server.provider.makes_servers:
        words = _("Servers of %(provider)s are there already and not ours to %(verb)s: whoever runs them does that.")
    else:
        words = _("The driver of %(provider)s cannot %(verb)s servers.")
    return words % {"provider": server.provider, "verb": str(ServerAction.Verb(verb).label).lower()}


def _check_size(server: Server, size_id: str) -> None:
    if not size_id:
        raise NotPossible(_("Say which size."), field="size")
    if not server.size:  # then nobody could tell when it is done
        words = _("%(provider)s does not tell what size its servers have: resize it there.")
        raise NotPossible(words % {"provider": server.provider})
    if size_id == server.size:
        raise NotPossible(_("The server has that size already."), field="size")
    sizes = ProviderOption.objects.filter(provider=server.provider, kind=ProviderOption.Kind.SIZE)
    offered = sizes.filter(outside_id=size_id).first()
    if offered is None:
        raise NotPossible(_("%(provider)s does not offer that size.") % {"provider": server.provider}, field="size")
    if not fits(offered.as_offer, server.wish):
        raise NotPossible(_("That size is smaller than what the order was promised."), field="size")


def _requested_message(server_action: ServerAction) -> str:
    return f"{_('Requested: %(action)s.') % {'action': server_action}} {server_action.reason}".strip()


def _settle_failed(server: Server, words: str) -> None:
    for server_action in server.server_actions.failed():
        _settle(server_action, words)


def _settle(server_action: ServerAction, words: str) -> None:
    server_action.done_version, server_action.failed_version = server_action.wanted_version, 0
    server_action.outcome = f"{server_action.last_error} {words}".strip()
    server_action.ended_at, server_action.last_error = clock.now(), ""
    server_action.save(
        update_fields=("done_version", "failed_version", "outcome", "ended_at", "last_error", "updated_at")
    )
