"""Which modules the admin consists of."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib.admin.apps import SimpleAdminConfig
from django.utils.module_loading import module_has_submodule

WITHOUT_ADMIN = ("import_export",)  # it registers nothing there, and loads openpyxl: 0.3 s of every start


class StaffAdminConfig(SimpleAdminConfig):
    """Django's admin, which finds what every app registers."""

    def ready(self) -> None:
        """The admin module of each app is loaded."""
        super().ready()
        for app in apps.get_app_configs():
            if app.name not in WITHOUT_ADMIN and app.module and module_has_submodule(app.module, "admin"):
                import_module(f"{app.name}.admin")
