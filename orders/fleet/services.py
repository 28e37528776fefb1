"""What may be asked of a fleet upgrade: start, stop, resume, close; and how it goes on by itself."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.errors import Refusal
from customers.models import User
from orders.allowed_actions import OrderActionNotPossible
from orders.changes.services import OrderUnchanged, upgrade_order
from orders.choices import ChangeState, Wanted
from orders.models import FleetMember, FleetUpgrade, Order, OrderChange, OrderQuerySet
from products.models import Release

Member = FleetMember.State
State = FleetUpgrade.State


@transaction.atomic
def start_fleet_upgrade(
    *, release: Release, wave_size: int = 5, actor: User | None = None, why: str = ""
) -> FleetUpgrade:
    """Every running order of the product that has another release is to get this one, `wave_size` at a time."""
    orders = list(orders_without(release).order_by("pk").values_list("pk", flat=True))
    if not orders:
        raise OrderUnchanged(_("Every running order of %(product)s has this release.") % {"product": release.product})
    try:
        with transaction.atomic():
            fleet = FleetUpgrade.objects.create(
                release=release, wave_size=wave_size, requested_by=actor, reason=why[:500]
            )
    except IntegrityError as error:
        message = _("A fleet upgrade to this release is open already: resume it.")
        raise OrderActionNotPossible(message, field="release") from error
    FleetMember.objects.bulk_create(FleetMember(fleet=fleet, order_id=pk) for pk in orders)
    _advance(fleet)
    return fleet


@transaction.atomic
def stop_fleet_upgrade(*, fleet: FleetUpgrade, actor: User | None = None, why: str = "") -> FleetUpgrade:
    """No further wave begins; orders that are being upgraded are finished."""
    fleet = _locked(fleet)
    if fleet.state != State.RUNNING:
        raise OrderActionNotPossible(_("This fleet upgrade is not in progress."))
    by = actor or _("the system")
    _stop(fleet, f"{_('Stopped by %(user)s.') % {'user': by}} {why}".strip())
    return fleet


@transaction.atomic
def resume_fleet_upgrade(
    *, fleet: FleetUpgrade, retry_failed: bool = False, actor: User | None = None, why: str = ""
) -> FleetUpgrade:
    """The next wave begins; with `retry_failed`, orders that had failed get another try in it."""
    fleet = _locked(fleet)
    if fleet.state != State.STOPPED:
        raise OrderActionNotPossible(_("Only a stopped fleet upgrade can be resumed."))
    if retry_failed:
        fleet.members.filter(state=Member.FAILED).update(state=Member.WAITING, message="", change=None)
    fleet.state, fleet.message = State.RUNNING, ""
    fleet.save(update_fields=("state", "message", "updated_at"))
    _advance(fleet)
    return fleet


@transaction.atomic
def close_fleet_upgrade(*, fleet: FleetUpgrade, actor: User | None = None, why: str = "") -> FleetUpgrade:
    """The stopped fleet upgrade has ended: orders that waited keep what they have, and another one may be started."""
    fleet = _locked(fleet)
    if fleet.state != State.STOPPED:
        raise OrderActionNotPossible(_("Only a stopped fleet upgrade can be closed."))
    _take_results(fleet)
    if fleet.members.filter(state=Member.UPGRADING).exists():
        raise OrderActionNotPossible(_("Orders are still being upgraded. Close it once they have ended."))
    fleet.members.filter(state=Member.WAITING).update(state=Member.SKIPPED, message=_("The fleet upgrade was closed."))
    by = actor or _("the system")
    fleet.state, fleet.ended_at = State.CLOSED, clock.now()
    fleet.message = f"{_('Closed by %(user)s.') % {'user': by}} {why}".strip()
    fleet.save(update_fields=("state", "ended_at", "message", "updated_at"))
    return fleet


def advance_all() -> None:
    """Every fleet upgrade in progress has taken in how its orders ended, and begun its next wave where it may."""
    for fleet in FleetUpgrade.objects.exclude(state__in=(State.DONE, State.CLOSED)):
        _advance_safely(fleet)


def advance_orders(pks: tuple[int, ...]) -> None:
    """The same for the fleet upgrades that wait for these orders."""
    waiting = FleetMember.objects.filter(order__in=pks, state=Member.UPGRADING).values("fleet")
    for fleet in FleetUpgrade.objects.filter(pk__in=waiting):
        _advance_safely(fleet)


def orders_without(release: Release) -> OrderQuerySet:
    """The running orders of the release's product that have another release."""
    running = Order.objects.filter(
        activated_at__isnull=False, wanted=Wanted.RUNNING, release__product=release.product_id
    )
    return running.exclude(release=release)


def progress_of(fleet: FleetUpgrade) -> Mapping[str, int]:
    """The number of orders in each state of a member."""
    counted = dict(fleet.members.order_by().values_list("state").annotate(Count("pk")))
    return {state.value: counted.get(state.value, 0) for state in Member}


@transaction.atomic
def _advance_safely(fleet: FleetUpgrade) -> None:
    _advance(_locked(fleet))


def _advance(fleet: FleetUpgrade) -> None:
    """The locked fleet upgrade is as far as its orders let it be."""
    failed = _take_results(fleet)
    if fleet.state != State.RUNNING:
        return
    if failed is not None:
        _stop(fleet, _("%(order)s did not succeed: %(message)s") % {"order": failed.order, "message": failed.message})
        return
    if not fleet.members.filter(state=Member.UPGRADING).exists():
        _begin_wave(fleet)


def _take_results(fleet: FleetUpgrade) -> FleetMember | None:
    """Each order that was being upgraded has the state in which its change ended; returns one that now has failed."""
    failed = None
    results = {
        ChangeState.APPLIED: Member.DONE,
        ChangeState.REVERTED: Member.FAILED,
        ChangeState.FAILED: Member.FAILED,
        ChangeState.CANCELLED: Member.SKIPPED,
    }
    for member in fleet.members.filter(state=Member.UPGRADING).select_related("change", "order"):
        change = member.change
        state = results.get(ChangeState(change.state)) if change else Member.FAILED
        if state is not None:
            member.state, member.message = state, change.error if change else ""
            member.save(update_fields=("state", "message"))
            failed = member if state is Member.FAILED else failed
    return failed


def _begin_wave(fleet: FleetUpgrade) -> None:
    """The next orders are being upgraded; the fleet upgrade is complete where none is left."""
    fleet.wave += 1
    begun = 0
    for member in fleet.members.filter(state=Member.WAITING).select_related("order"):
        if begun == fleet.wave_size:
            break
        begun += _upgrade(fleet, member)
    if not begun:
        fleet.wave -= 1
        fleet.state, fleet.ended_at = State.DONE, clock.now()
        done = progress_of(fleet)[Member.DONE]
        fleet.message = ngettext("%(count)s order was upgraded.", "%(count)s orders were upgraded.", done)
        fleet.message %= {"count": done}
    fleet.save(update_fields=("wave", "state", "ended_at", "message", "updated_at"))


def _upgrade(fleet: FleetUpgrade, member: FleetMember) -> bool:
    """True if the order is being upgraded now; one that cannot be is skipped with the reason."""
    member.wave = fleet.wave
    try:
        upgrade_order(order=member.order, release=fleet.release, actor=fleet.requested_by, why=fleet.reason)
    except OrderUnchanged:
        member.state, member.message = Member.DONE, _("It had the release already.")
    except Refusal as refusal:
        member.state, member.message = Member.SKIPPED, refusal.message
    else:
        member.state = Member.UPGRADING
        member.change = OrderChange.objects.open().get(order=member.order)
    member.save(update_fields=("wave", "state", "message", "change"))
    return member.state == Member.UPGRADING


def _stop(fleet: FleetUpgrade, message: str) -> None:
    fleet.state, fleet.message = State.STOPPED, message
    fleet.save(update_fields=("state", "message", "updated_at"))


def _locked(fleet: FleetUpgrade) -> FleetUpgrade:
    rows = FleetUpgrade.objects.select_related("release__product", "requested_by")
    return rows.select_for_update(of=("self",)).get(pk=fleet.pk)
