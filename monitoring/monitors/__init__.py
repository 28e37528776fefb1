"""The monitor of an order: registered, paused, removed, and read every minute."""
