"""Each incident keeps its order as an affected order."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHUNK = 1000


def copy_orders(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Every incident has one affected order, which recovered when the incident was resolved."""
    affected = apps.get_model("monitoring", "IncidentOrder").objects.using(schema_editor.connection.alias)
    incidents = apps.get_model("monitoring", "Incident").objects.using(schema_editor.connection.alias)
    model = affected.model
    affected.bulk_create(
        [
            model(incident_id=pk, order_id=order, recovered_at=resolved_at)
            for pk, order, resolved_at in incidents.filter(order__isnull=False).values_list(
                "pk", "order", "resolved_at"
            )
        ],
        batch_size=CHUNK,
        ignore_conflicts=True,
    )


def split_incidents(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Backwards, an incident of several orders becomes one incident per order, each with all updates."""
    affected = apps.get_model("monitoring", "IncidentOrder").objects.using(schema_editor.connection.alias)
    incidents = apps.get_model("monitoring", "Incident").objects.using(schema_editor.connection.alias)
    updates = apps.get_model("monitoring", "IncidentUpdate").objects.using(schema_editor.connection.alias)
    for incident in incidents.all():
        first, *others = affected.filter(incident=incident).order_by("pk")
        incidents.filter(pk=incident.pk).update(order_id=first.order_id)
        history = list(updates.filter(incident_id=incident.pk))
        for other in others:
            incident.pk, incident.order_id = None, other.order_id
            incident.resolved_at = incident.resolved_at or other.recovered_at
            incident.save(force_insert=True)
            for update in history:
                update.pk, update.incident_id = None, incident.pk
            updates.bulk_create(history)


class Migration(migrations.Migration):
    dependencies = (("monitoring", "0016_incident_of_several_orders"),)

    operations = (migrations.RunPython(copy_orders, split_incidents),)
