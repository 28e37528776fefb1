"""Servers started, stopped, rebooted and resized at the request of staff."""
