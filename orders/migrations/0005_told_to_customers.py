"""A part says something of its own to customers."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0004_fill_agreed_terms'),
    ]

    operations = [
        migrations.AddField(
            model_name='orderpart',
            name='told',
            field=models.TextField(blank=True, help_text="Without the outside's own words.", verbose_name='what customers read'),
        ),
    ]
