"""The addresses of a status page, under `/status/`."""

from __future__ import annotations

from django.urls import path

from monitoring.status_pages import views

app_name = "status"
urlpatterns = [
    path("<str:token>/", views.status_page, name="page"),
    path("<str:token>/status.json", views.status_json, name="json"),
    path("<str:token>/feed.xml", views.status_feed, name="feed"),
    path("<str:token>/badge.svg", views.status_badge, name="badge"),
]
