"""What this room reconciles when orders change, and every minute."""

from __future__ import annotations

from monitoring.maintenance.services import reconcile_windows
from monitoring.monitors.services import reconcile_all, reconcile_orders
from orders.choices import Part
from orders.followers import register_follower

register_follower("monitoring", all=reconcile_all, orders=reconcile_orders, after=(Part.ENDPOINTS,))
register_follower("maintenance windows", all=reconcile_windows)
