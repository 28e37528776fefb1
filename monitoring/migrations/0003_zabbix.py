"""Monitors may be watched by Zabbix."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0002_history")]

    operations = [
        migrations.AlterField(
            model_name="monitor",
            name="backend",
            field=models.CharField(
                blank=True,
                choices=[("builtin", "Built-in checker"), ("zabbix", "Zabbix")],
                max_length=10,
                verbose_name="watched by",
            ),
        ),
    ]
