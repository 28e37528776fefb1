"""Every address of the API: each room adds its own under `v1/`."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from live.api.schema_view import SchemaView
from live.api.views import UnknownAddress, problem_type

app_name = "api"
ROOMS = ("customers", "products", "orders", "infrastructure", "monitoring", "billing")
urlpatterns = [
    *(path("v1/", include(f"{room}.api.urls")) for room in ROOMS),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    path("problems/<slug:code>/", problem_type, name="problem"),
    path("<path:rest>", UnknownAddress.as_view()),
]
