"""Zabbix pushes here; a push is only a reason to read at once."""
