"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from live import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("live.api.urls")),
    path("sandbox/", include("infrastructure.sandbox.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
