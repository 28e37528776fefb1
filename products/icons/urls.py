"""The addresses of products' pictures."""

from __future__ import annotations

from django.urls import path

from products.icons.views import release_icon

app_name = "product_pictures"
urlpatterns = [path("<int:pk>/", release_icon, name="icon")]
