"""A part may be under maintenance."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0001_start'),
    ]

    operations = [
        migrations.AlterField(
            model_name='orderpart',
            name='state',
            field=models.CharField(choices=[('working', 'In progress'), ('ready', 'Ready'), ('down', 'Down'), ('resting', 'Under maintenance'), ('suspended', 'Suspended'), ('removed', 'Removed'), ('failed', 'Needs a person')], max_length=10, verbose_name='state'),
        ),
    ]
