"""A part under maintenance is stored as that."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def rename_state(apps: Any, old: str, new: str) -> None:
    for model in ("OrderPart", "OrderEvent"):
        apps.get_model("orders", model).objects.filter(state=old).update(state=new)


def forwards(apps: Any, schema_editor: Any) -> None:
    rename_state(apps, "resting", "maintenance")


def backwards(apps: Any, schema_editor: Any) -> None:
    rename_state(apps, "maintenance", "resting")


class Migration(migrations.Migration):

    dependencies = [("orders", "0008_words_of_the_field")]

    operations = [migrations.RunPython(forwards, backwards)]
