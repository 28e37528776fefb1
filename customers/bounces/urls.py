"""The address to which reports of mail that came back are pushed."""

from __future__ import annotations

from django.urls import path

from customers.bounces.views import BounceHook

app_name = "bounces"
urlpatterns = [path("mail/", BounceHook.as_view(), name="hook")]
