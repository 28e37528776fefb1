"""A reading of the catalogue is called a sync, as everywhere else; its rows and the rights to it are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import migrations, models

VERBS = ("add", "change", "delete", "view")
PERMISSIONS = {
    "read_catalogue": ("sync_catalogue", "Can sync the catalogue"),
    **{f"{verb}_cataloguereading": (f"{verb}_cataloguesync", f"Can {verb} catalogue sync") for verb in VERBS},
}
FORMER = {
    "sync_catalogue": ("read_catalogue", "Can have the catalogue read"),
    **{f"{verb}_cataloguesync": (f"{verb}_cataloguereading", f"Can {verb} reading of the catalogue") for verb in VERBS},
}


def rename(apps: Any, names: Mapping[str, tuple[str, str]]) -> None:
    """Groups and users keep what they were granted: the rows of permissions stay, only their names change."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="products")
    for old, (codename, name) in names.items():
        permissions.filter(codename=old).update(codename=codename, name=name)


def forwards(apps: Any, schema_editor: Any) -> None:
    rename(apps, PERMISSIONS)


def backwards(apps: Any, schema_editor: Any) -> None:
    rename(apps, FORMER)


class Migration(migrations.Migration):

    dependencies = [
        ("products", "0006_grace"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RenameModel("CatalogueReading", "CatalogueSync"),
        migrations.RenameIndex(
            "cataloguesync", new_name="products_cataloguesync_due", old_name="products_cataloguereading_due"
        ),
        migrations.RenameField("cataloguesync", "asked_by", "requested_by"),
        migrations.RenameField("cataloguesync", "read_at", "synced_at"),
        migrations.AlterModelOptions(
            name='cataloguesync',
            options={'ordering': ('-pk',), 'verbose_name': 'catalogue sync', 'verbose_name_plural': 'catalogue syncs'},
        ),
        migrations.AlterModelOptions(
            name='product',
            options={'ordering': ('name',), 'permissions': (('sync_catalogue', 'Can sync the catalogue'), ('sell_product', 'Can put products on sale and retire them'), ('trust_product', 'Can mark a product as trusted (compose policy off)')), 'verbose_name': 'product', 'verbose_name_plural': 'products'},
        ),
        migrations.AlterField(
            model_name='cataloguesync',
            name='requested_by',
            field=models.CharField(blank=True, max_length=160, verbose_name='requested by'),
        ),
        migrations.AlterField(
            model_name='cataloguesync',
            name='summary',
            field=models.TextField(blank=True, verbose_name='result'),
        ),
        migrations.AlterField(
            model_name='cataloguesync',
            name='synced_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='synced'),
        ),
        migrations.RunPython(forwards, backwards),
    ]
