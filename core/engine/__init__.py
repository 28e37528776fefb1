"""How rows are brought where they are wanted: controllers, leases, the queue, the sweep, schedules."""
