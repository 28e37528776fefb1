"""Zabbix 6.0 LTS and 7.x over its JSON-RPC API."""
