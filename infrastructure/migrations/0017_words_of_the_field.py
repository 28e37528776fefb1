from __future__ import annotations

from django.db import migrations, models

MODELS = {"errand": "serveraction", "look": "observation", "reconciliation": "driftscan", "finding": "driftfinding"}
LABELS = {
    "errand": "server action",
    "look": "observation",
    "reconciliation": "drift scan",
    "finding": "drift finding",
}
CUSTOM = {"settle_finding": "resolve_driftfinding"}


def rename_permissions(apps, schema_editor, *, backwards=False):
    """Roles and grants point at rows of permissions: these keep their keys and get the new codenames."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for old, new in MODELS.items():
        for verb in ("add", "change", "delete", "view"):
            _rename(permissions, f"{verb}_{old}", f"{verb}_{new}", f"Can {verb} {LABELS[old]}", backwards, old, verb)
    for old, new in CUSTOM.items():
        _rename(permissions, old, new, None, backwards, old, "")


def _rename(permissions, old, new, name, backwards, old_model, verb):
    source, target = (new, old) if backwards else (old, new)
    fields = {"codename": target}
    if name is not None:
        fields["name"] = f"Can {verb} {old_model}" if backwards else name
    permissions.filter(content_type__app_label="infrastructure", codename=source).update(**fields)


def restore_permissions(apps, schema_editor):
    rename_permissions(apps, schema_editor, backwards=True)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("infrastructure", "0016_provider_is_enabled_by_test"),
    ]

    operations = [
        migrations.RenameModel("Errand", "ServerAction"),
        migrations.RenameModel("Look", "Observation"),
        migrations.RenameModel("Reconciliation", "DriftScan"),
        migrations.RenameModel("Finding", "DriftFinding"),
        migrations.RunPython(rename_permissions, restore_permissions),
        migrations.RenameField("serveraction", "told", "requested_step"),
        migrations.RenameField("serveraction", "told_at", "requested_at"),
        migrations.RenameField("serveraction", "heard_at", "acknowledged_at"),
        migrations.RenameField("serveraction", "asked_by", "requested_by"),
        migrations.RenameField("observation", "asked_at", "attempted_at"),
        migrations.RenameField("observation", "weighed_at", "disk_measured_at"),
        migrations.RenameField("observation", "trouble", "error"),
        migrations.RenameField("host", "answer", "status_message"),
        migrations.RenameField("host", "asked_at", "checked_at"),
        migrations.RenameField("host", "gone_why", "gone_reason"),
        migrations.RenameField("driftfinding", "settled_at", "resolved_at"),
        migrations.RenameField("driftfinding", "settled_by", "resolved_by"),
        migrations.RenameField("driftfinding", "ours", "expected"),
        migrations.RenameField("driftfinding", "theirs", "actual"),
        migrations.RenameIndex("serveraction", old_name="infrastructure_errand_due", new_name="server_action_due"),
        migrations.RenameIndex("driftscan", old_name="reconciliation_due", new_name="drift_scan_due"),
        migrations.RenameIndex("driftfinding", old_name="infrastructure_finding_due", new_name="drift_finding_due"),
        migrations.RemoveConstraint("serveraction", "one_errand_at_a_time"),
        migrations.AddConstraint(
            "serveraction",
            models.UniqueConstraint(
                fields=("server",),
                name="one_server_action_at_a_time",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
        ),
        migrations.RemoveConstraint("observation", "look_once_per_engine"),
        migrations.AddConstraint(
            "observation",
            models.UniqueConstraint(
                fields=("provider", "thing", "engine"), name="observation_once_per_engine"
            ),
        ),
        migrations.RemoveConstraint("driftfinding", "finding_once_while_it_lasts"),
        migrations.AddConstraint(
            "driftfinding",
            models.UniqueConstraint(
                fields=("provider", "kind", "thing", "aspect", "key", "outside_id", "host"),
                name="drift_finding_once_while_open",
                condition=~models.Q(state="solved"),
            ),
        ),
    ]
