"""Workers of the version before may write orders and parts while an upgrade runs."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0006_told_so_far'),
    ]

    operations = [
        migrations.AlterField(
            model_name='order',
            name='agreed_currency',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=3, verbose_name='agreed currency'),
        ),
        migrations.AlterField(
            model_name='order',
            name='agreed_period',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=5, verbose_name='agreed period'),
        ),
        migrations.AlterField(
            model_name='orderpart',
            name='told',
            field=models.TextField(blank=True, db_default='', default='', help_text="Without the outside's own words.", verbose_name='what customers read'),
        ),
    ]
