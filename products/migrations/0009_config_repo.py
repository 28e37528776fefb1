"""Config-repos as rows; a release names its commit, author and message, and the database keeps them too."""

import importlib
import uuid

import core.fields
import django.db.models.deletion
from django.db import migrations, models

_never_changes = importlib.import_module("products.migrations.0003_releases_never_change")
TABLE = "products_release"
BEFORE = _never_changes.FROZEN[TABLE]
AFTER = (*BEFORE, '"commit"', "author", "message")


def _executed(index, columns):
    def run(apps, schema_editor):
        for statement in _never_changes._statements(schema_editor.connection.vendor, TABLE, columns)[index]:
            # SQLite drops a trigger with the table that it remakes.
            schema_editor.execute(statement.replace("DROP TRIGGER", "DROP TRIGGER IF EXISTS"))

    return run


FREEZE, THAW = 0, 1


class Migration(migrations.Migration):

    dependencies = [
        ('products', '0008_quarterly_prices'),
    ]

    operations = [
        migrations.RunPython(_executed(THAW, BEFORE), _executed(FREEZE, BEFORE)),
        migrations.AddField(
            model_name='cataloguesync',
            name='is_full',
            field=models.BooleanField(default=True, help_text='Reads every product, also those that did not change.', verbose_name='full'),
        ),
        migrations.AddField(
            model_name='release',
            name='author',
            field=models.CharField(blank=True, max_length=200, verbose_name='author'),
        ),
        migrations.AddField(
            model_name='release',
            name='commit',
            field=models.CharField(blank=True, max_length=64, verbose_name='commit'),
        ),
        migrations.AddField(
            model_name='release',
            name='message',
            field=models.TextField(blank=True, verbose_name='message'),
        ),
        migrations.CreateModel(
            name='ConfigRepo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('kind', models.CharField(choices=[('gitlab', 'GitLab project'), ('git', 'Git repository'), ('folder', 'Folder of this machine')], default='gitlab', max_length=10, verbose_name='kind')),
                ('address', models.CharField(blank=True, help_text='The address of GitLab, of the git repository, or the path of the folder.', max_length=300, verbose_name='address')),
                ('project', models.CharField(blank=True, help_text='GitLab only: group/project, or its number.', max_length=200, verbose_name='project')),
                ('branch', models.CharField(blank=True, help_text='GitLab only; empty for the default branch.', max_length=120, verbose_name='branch')),
                ('path', models.CharField(blank=True, help_text='The folder that holds “products”; empty for the top.', max_length=200, verbose_name='path')),
                ('credentials', core.fields.EncryptedJSONField(blank=True, editable=False, null=True, verbose_name='credentials')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('is_enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('is_default', models.BooleanField(default=False, editable=False, help_text="Defined by the site's environment.", verbose_name='from the settings')),
                ('synced_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last sync')),
                ('position', models.JSONField(blank=True, default=dict, editable=False, verbose_name='position')),
                ('last_error', models.TextField(blank=True, editable=False, verbose_name='last error')),
                ('tested_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='connection tested')),
                ('test_result', models.CharField(blank=True, editable=False, max_length=300, verbose_name='connection')),
            ],
            options={
                'verbose_name': 'config-repo',
                'verbose_name_plural': 'config-repos',
                'ordering': ('name',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_config_repo')],
            },
        ),
        migrations.AddField(
            model_name='cataloguesync',
            name='config_repo',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='syncs', to='products.configrepo', verbose_name='config-repo'),
        ),
        migrations.AddField(
            model_name='product',
            name='config_repo',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='products', to='products.configrepo', verbose_name='config-repo'),
        ),
        migrations.RunPython(_executed(FREEZE, AFTER), _executed(THAW, AFTER)),
    ]
