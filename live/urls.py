"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("live.api.urls")),
    path("sandbox/", include("infrastructure.sandbox.urls")),
]
