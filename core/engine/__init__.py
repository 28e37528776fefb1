"""Brings rows to their wanted state: controllers, leases, the queue, the sweep, schedules."""
