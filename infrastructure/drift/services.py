"""Requesting scans, and resolving findings: accept, adopt, rebuild, remove. Rows and tasks only."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import PermanentError, Refusal
from customers.models import User
from infrastructure.keys import give_server_keys
from infrastructure.models import Deployment, DriftFinding, DriftScan, Provider, Server, ServerKeys
from orders.choices import State, Wanted
from orders.models import Order
from orders.part_reports import lock_orders
from orders.services import confirm_order, retry_order


class DriftActionNotPossible(Refusal):
    """The finding's kind or state does not allow this."""

    code = "not_possible"


@transaction.atomic
def request_drift_scan(providers: Iterable[Provider] | None = None) -> int:
    """Workers will scan these providers, or all of them; returns how many."""
    chosen = list(Provider.objects.all() if providers is None else providers)
    DriftScan.objects.bulk_create([DriftScan(provider=provider) for provider in chosen], ignore_conflicts=True)
    rows = DriftScan.objects.filter(provider__in=chosen)
    rows.update(
        wanted_version=F("wanted_version") + 1, next_attempt_at=clock.now(), attempts=0, last_error="", queued_at=None
    )
    enqueue_rows("drift_scan", list(rows.values_list("pk", flat=True)))
    return len(chosen)


@transaction.atomic
def accept_finding(*, finding: DriftFinding, why: str, actor: User | None = None) -> DriftFinding:
    """The finding is accepted; it opens again only if the difference changes."""
    finding = _locked(finding)
    if finding.state != DriftFinding.State.OPEN:
        raise DriftActionNotPossible(_("Only an open finding can be accepted."))
    if not why.strip():
        raise DriftActionNotPossible(_("A reason is required."), field="why")
    return _settle(finding, DriftFinding.State.ACCEPTED, why, actor)


@transaction.atomic
def remove_orphan(*, finding: DriftFinding, why: str = "", actor: User | None = None) -> DriftFinding:
    """A worker will destroy exactly the server or composition that the finding names."""
    finding = _locked(finding)
    _check_orphan(finding)
    if (owner := owner_of(finding)) is not None:
        raise DriftActionNotPossible(_("It belongs to %(order)s and is not removed.") % {"order": owner})
    finding.wanted_version += 1
    finding.next_attempt_at, finding.attempts, finding.last_error = clock.now(), 0, ""
    finding.resolved_by, finding.reason = actor, (why or str(_("Removed.")))[:500]
    finding.save()
    enqueue_rows("orphan", [finding.pk])
    return finding


@transaction.atomic
def rebuild_ghost(*, finding: DriftFinding, why: str = "", actor: User | None = None) -> DriftFinding:
    """The order gets a new server with its release on it; the data on the lost disk is not restored."""
    finding = _locked(finding)
    if (finding.kind, finding.thing) != (DriftFinding.Kind.GHOST, DriftFinding.Thing.SERVER) or finding.order is None:
        raise DriftActionNotPossible(_("Only a missing server can be rebuilt; a composition is launched again."))
    if finding.state == DriftFinding.State.SOLVED:
        raise DriftActionNotPossible(_("This finding has already been resolved."))
    if finding.order.wanted == Wanted.SUSPENDED:
        raise DriftActionNotPossible(_("The order is suspended: resume it to rebuild its server."))
    _ensure_keys(finding.order)
    message = _("Rebuilding its missing server.")
    retry_order(order=finding.order, actor=actor, why=f"{message} {why}".strip())
    return _settle(finding, DriftFinding.State.SOLVED, why or message, actor)


def _ensure_keys(order: Order) -> None:
    """The order's server has a key pair to be created with; an adopted server had no private host key."""
    servers = Server.objects.filter(order=order, provider__kind=Provider.Kind.LIBCLOUD).select_related("order")
    if (server := servers.first()) is not None:
        keys = ServerKeys.objects.filter(server=server).first()
        if keys is None or not keys.host_private_key:
            give_server_keys(server)


@transaction.atomic
def recreate(*, finding: DriftFinding, why: str = "", actor: User | None = None) -> DriftFinding:
    """A missing server is rebuilt; a composition is launched again from its release, with its volumes."""
    if (finding.kind, finding.thing) == (DriftFinding.Kind.GHOST, DriftFinding.Thing.SERVER):
        return rebuild_ghost(finding=finding, why=why, actor=actor)
    finding = _locked(finding)
    is_composition = finding.thing == DriftFinding.Thing.COMPOSITION and finding.kind != DriftFinding.Kind.ORPHAN
    if not is_composition or finding.order is None:
        raise DriftActionNotPossible(_("Only a ghost, or a composition with drift, can be launched again."))
    if finding.state == DriftFinding.State.SOLVED:
        raise DriftActionNotPossible(_("This finding has already been resolved."))
    if finding.order.wanted != Wanted.RUNNING:
        raise DriftActionNotPossible(_("The order is not running: resume it to launch its composition."))
    message = _("Launching its composition again from its release.")
    confirm_order(order=finding.order, actor=actor, why=f"{message} {why}".strip())
    return _settle(finding, DriftFinding.State.SOLVED, why or message, actor)


@transaction.atomic
def adopt_orphan(*, finding: DriftFinding, order: Order, actor: User | None = None) -> DriftFinding:
    """The order uses the orphan instead of a newly created server."""
    (order,) = lock_orders([order.pk])
    finding = _locked(finding)
    _check_orphan(finding)
    if finding.thing != DriftFinding.Thing.SERVER:
        raise DriftActionNotPossible(_("Only a server can be adopted."))
    if not adopters_of(finding).filter(pk=order.pk).exists():
        raise DriftActionNotPossible(
            _("%(order)s cannot adopt it: it has a server, or is not approved.") % {"order": order}
        )
    if (owner := owner_of(finding)) is not None and owner != order:
        raise DriftActionNotPossible(_("It belongs to %(order)s.") % {"order": owner})
    Server.objects.filter(order=order).update(provider=finding.provider, adopted_key=finding.key)
    _hand_over_keys(finding, order)
    retry_order(order=order, actor=actor, why=_("Adopted server %(id)s.") % {"id": finding.outside_id})
    return _settle(finding, DriftFinding.State.SOLVED, _("Adopted by %(order)s.") % {"order": order}, actor)


def _hand_over_keys(finding: DriftFinding, order: Order) -> None:
    """The new order's server gets the keys of the former order's, if those are still stored."""
    stored = ServerKeys.objects.filter(server__provider=finding.provider, server__outside_id=finding.outside_id)
    former = stored.select_related("server").first()
    Server.objects.filter(order=order).update(has_agent=former is not None and former.server.has_agent)
    if former is not None:
        names = ("public_key", "private_key", "host_key", "host_private_key")
        values = {name: getattr(former, name) for name in names}
        ServerKeys.objects.update_or_create(server=Server.objects.get(order=order), defaults=values)


def adopters_of(finding: DriftFinding) -> QuerySet[Order]:
    """The orders whose server could not be created, and that may adopt this one."""
    lacking = Server.objects.failed().filter(outside_id="", wanted=Wanted.RUNNING, leased_until=None)
    return Order.objects.filter(
        wanted=Wanted.RUNNING,
        approved_at__isnull=False,
        needs_attention=True,
        is_sandbox=finding.provider.is_sandbox,
        server__in=lacking,
    )


@transaction.atomic
def check_still_orphan(finding: DriftFinding) -> None:
    """No order owns what the finding names, checked under lock; raises PermanentError otherwise."""
    lock_orders(list(_orders_of(finding).values_list("pk", flat=True)))
    if (owner := owner_of(finding)) is not None:
        raise PermanentError(_("It belongs to %(order)s and is not removed.") % {"order": owner})


def owner_of(finding: DriftFinding) -> Order | None:
    """The order, not removed, that owns what the finding names or may be about to create it."""
    if finding.thing == DriftFinding.Thing.SERVER:
        return _server_owner(finding)
    return _composition_owner(finding)


def _server_owner(finding: DriftFinding) -> Order | None:
    alive = Server.objects.exclude(wanted=Wanted.REMOVED, done_version=F("wanted_version")).select_related("order")
    here = alive.filter(provider=finding.provider)
    if (server := here.filter(outside_id=finding.outside_id).first()) is not None:
        return server.order
    if (server := here.filter(adopted_key=finding.key).first()) is not None:
        return server.order
    order = _orders_of(finding).exclude(state=State.REMOVED).first()
    own = alive.filter(order=order).exclude(outside_id="").first() if order else None
    # An order with another, settled server has no claim on a second one.
    return None if own is not None and own.is_settled else order


def _composition_owner(finding: DriftFinding) -> Order | None:
    alive = Deployment.objects.exclude(wanted=Wanted.REMOVED, done_version=F("wanted_version")).select_related("server")
    order = _orders_of(finding).exclude(state=State.REMOVED).first()
    own = alive.filter(order=order).first() if order else None
    elsewhere = own is not None and own.is_settled and own.server.provider_id != finding.provider_id
    return None if elsewhere else order


def _orders_of(finding: DriftFinding) -> QuerySet[Order]:
    return Order.objects.filter(reference=finding.key.removeprefix("live-").upper())


def _locked(finding: DriftFinding) -> DriftFinding:
    if finding.order_id is not None:
        lock_orders([finding.order_id])
    return DriftFinding.objects.select_for_update(of=("self",)).select_related("provider", "order").get(pk=finding.pk)


def _check_orphan(finding: DriftFinding) -> None:
    if finding.kind != DriftFinding.Kind.ORPHAN:
        raise DriftActionNotPossible(_("Only an orphan can be adopted or removed."))
    if finding.state == DriftFinding.State.SOLVED:
        raise DriftActionNotPossible(_("This finding has already been resolved."))
    if finding.next_attempt_at is not None:
        raise DriftActionNotPossible(_("It is already being removed."))


def _settle(finding: DriftFinding, state: DriftFinding.State, why: str, actor: User | None) -> DriftFinding:
    finding.state, finding.reason, finding.resolved_at, finding.resolved_by = state, str(why)[:500], clock.now(), actor
    finding.save(update_fields=("state", "reason", "resolved_at", "resolved_by", "updated_at"))
    return finding
