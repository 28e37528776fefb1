from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F


def fill(apps: Any, schema_editor: Any) -> None:
    """What has been launched until now runs the release that is wanted."""
    deployments = apps.get_model("infrastructure", "Deployment").objects
    deployments.filter(launched_at__isnull=False).update(running_release=F("release"))


class Migration(migrations.Migration):
    dependencies = [("infrastructure", "0019_releases_of_a_deployment")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
