"""Models, fields and constraints get the terms of the field; rows and granted permissions are kept."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

RENAMED = (
    ("watcher", "backendstatus", "watcher", "monitoring backend"),
    ("watchfigure", "backendsli", "figure of the watcher", "backend SLI"),
    ("gap", "backfillrequest", "gap", "backfill request"),
    ("silence", "datagap", "silence", "data gap"),
)
VERBS = ("add", "change", "delete", "view")


def rename_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Groups and users keep what they were granted."""
    for old, new, _old_name, name in RENAMED:
        _rename(apps, schema_editor, old, new, name)


def restore_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The former codenames."""
    for old, new, name, _new_name in RENAMED:
        _rename(apps, schema_editor, new, old, name)


def _rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor, old: str, new: str, name: str) -> None:
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for verb in VERBS:
        permissions.filter(content_type__app_label="monitoring", codename=f"{verb}_{old}").update(
            codename=f"{verb}_{new}", name=f"Can {verb} {name}"
        )


def interval_constraints(old: str, new: str) -> list[migrations.operations.base.Operation]:
    """The constraints and the index of an interval carry the name of its model."""
    ends = models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at"))
    unended = models.Q(ended_at__isnull=True)
    return [
        migrations.RemoveConstraint(new, f"{old}_ends_after_it_starts"),
        migrations.RemoveConstraint(new, f"{old}_open_once_per_check"),
        migrations.AddConstraint(new, models.CheckConstraint(condition=ends, name=f"{new}_ends_after_it_starts")),
        migrations.AddConstraint(
            new,
            models.UniqueConstraint(fields=("monitor_check",), condition=unended, name=f"{new}_open_once_per_check"),
        ),
        migrations.RenameIndex(new, new_name=f"{new}_of_order", old_name=f"{old}_of_order"),
    ]


class Migration(migrations.Migration):
    dependencies = (
        ("monitoring", "0011_incidents_by_hand"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    )

    operations = (
        migrations.RenameModel("Watcher", "BackendStatus"),
        migrations.RenameModel("WatchFigure", "BackendSli"),
        migrations.RenameModel("Gap", "BackfillRequest"),
        migrations.RenameModel("Silence", "DataGap"),
        migrations.RenameField("backendstatus", "said", "test_report"),
        migrations.RenameField("backendstatus", "figures_read_at", "sli_read_at"),
        migrations.RenameField("backendstatus", "past_read_until", "history_read_until"),
        migrations.RemoveConstraint("backendsli", "figure_once_per_period"),
        migrations.AddConstraint(
            "backendsli", models.UniqueConstraint(fields=("order", "started_at"), name="sli_once_per_period")
        ),
        migrations.RemoveConstraint("backfillrequest", "gap_once_per_check_and_start"),
        migrations.RemoveConstraint("backfillrequest", "gap_ends_after_it_starts"),
        migrations.AddConstraint(
            "backfillrequest",
            models.UniqueConstraint(
                fields=("monitor_check", "started_at"), name="backfill_once_per_check_and_start"
            ),
        ),
        migrations.AddConstraint(
            "backfillrequest",
            models.CheckConstraint(
                condition=models.Q(ended_at__gte=models.F("started_at")), name="backfill_ends_after_it_starts"
            ),
        ),
        *interval_constraints("silence", "datagap"),
        migrations.RunPython(rename_permissions, restore_permissions),
    )
