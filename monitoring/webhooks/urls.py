"""The addresses that others push to."""

from __future__ import annotations

from django.urls import path

from monitoring.webhooks.views import ZabbixPush

app_name = "push"
urlpatterns = [path("zabbix/", ZabbixPush.as_view(), name="zabbix")]
