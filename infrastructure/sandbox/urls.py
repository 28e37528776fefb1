"""URLs of the endpoints of sandbox compositions."""

from __future__ import annotations

from django.urls import path

from infrastructure.sandbox.views import endpoint

urlpatterns = [
    path("<str:key>/<path:path>", endpoint, name="sandbox-endpoint"),
    path("<str:key>/", endpoint, {"path": ""}),
]
