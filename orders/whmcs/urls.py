"""The address to which the hooks of WHMCS are sent."""

from __future__ import annotations

from django.urls import path

from orders.whmcs.webhook import WhmcsHook

app_name = "whmcs"
urlpatterns = [path("whmcs/", WhmcsHook.as_view(), name="hook")]
