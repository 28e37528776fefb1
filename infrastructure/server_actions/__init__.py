"""Errands: servers that stand are started, stopped, rebooted and resized."""
