"""The addresses that GitLab calls."""

from __future__ import annotations

from django.urls import path

from products.hooks.views import GitLabHook

app_name = "catalogue_hooks"
urlpatterns = [path("gitlab/<uuid:uuid>/", GitLabHook.as_view(), name="gitlab")]
