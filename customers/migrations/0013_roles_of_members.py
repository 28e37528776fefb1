from django.db import migrations, models

ROLES = [("owner", "Owner"), ("technical", "Technical"), ("billing", "Billing"), ("read_only", "Read-only")]


def rename_viewers(apps, schema_editor):
    apps.get_model("customers", "Membership").objects.filter(role="viewer").update(role="read_only")


def restore_viewers(apps, schema_editor):
    """The earlier version has two roles: whoever is no owner becomes a viewer."""
    apps.get_model("customers", "Membership").objects.exclude(role="owner").update(role="viewer")


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_whmcs_services")]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(choices=ROLES, default="owner", max_length=10, verbose_name="role"),
        ),
        migrations.RunPython(rename_viewers, restore_viewers),
    ]
