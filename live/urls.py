"""Every address of the site."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from live.accounts import pages as account_pages
from live.observability.metrics import metrics
from live.portal import urls as portal_pages

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler403 = "live.missing_permissions.permission_denied"
handler500 = "live.disk.full_disk.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("live.api.urls")),
    path("sandbox/", include("infrastructure.sandbox.urls")),
    path("status/", include("monitoring.status_pages.urls")),
    path("hooks/", include("monitoring.webhooks.urls")),
    path("hooks/", include("customers.bounces.urls")),
    path("hooks/", include("orders.whmcs.urls")),
    path("hooks/", include("products.hooks.urls")),
    path("product-icons/", include("products.icons.urls")),
    path("account/", include("live.accounts.urls")),
    path("metrics", metrics, name="metrics"),
    path("", include(([*portal_pages.urlpatterns, *account_pages.urlpatterns], "portal"))),
]
