"""Servers and deployments are reconciled when orders change, and every minute."""

from __future__ import annotations

from infrastructure.provisioning.reconcile import reconcile_all, reconcile_orders
from orders.followers import register_follower

register_follower("infrastructure", all=reconcile_all, orders=reconcile_orders)
