from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from core.fields import decrypt, encrypt

# What django-allauth keeps in `data`: one secret of an app, one seed of recovery codes, or codes of an older version.
SECRETS = ("secret", "seed")
LISTS_OF_SECRETS = ("migrated_codes",)


def change_every(apps: Apps, change: Callable[[str], str]) -> None:
    """Each secret of each authenticator is as `change` makes it."""
    for authenticator in apps.get_model("mfa", "Authenticator").objects.all():
        data: dict[str, Any] = authenticator.data
        for name in SECRETS:
            if name in data:
                data[name] = change(data[name])
        for name in LISTS_OF_SECRETS:
            if name in data:
                data[name] = [change(code) for code in data[name]]
        authenticator.save(update_fields=("data",))


def seal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    change_every(apps, encrypt)


def open_again(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    change_every(apps, decrypt)


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_by_name"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(seal, open_again)]
