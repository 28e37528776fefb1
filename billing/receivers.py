"""What this room reconciles when orders change, and every minute."""

from __future__ import annotations

from billing.dunning.services import resume_paid_orders
from billing.subscriptions.reconcile import reconcile_all, reconcile_orders
from orders.choices import Move
from orders.followers import register_follower


def _reconcile_all() -> None:
    reconcile_all()
    resume_paid_orders()


register_follower("billing", all=_reconcile_all, orders=reconcile_orders, after=(Move.STATE,))
