"""An incident may affect several orders; the order of each incident is copied by the next migration."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (
        ("monitoring", "0015_checks_without_sentences"),
        ("orders", "0007_the_database_fills_new_columns"),
    )

    operations = (
        migrations.RemoveConstraint("incident", "incident_open_once_per_order"),
        migrations.CreateModel(
            name="IncidentOrder",
            fields=(
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recovered_at", models.DateTimeField(blank=True, null=True, verbose_name="recovered")),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="affected",
                        to="monitoring.incident",
                        verbose_name="incident",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incident_orders",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
            ),
            options={
                "verbose_name": "affected order",
                "verbose_name_plural": "affected orders",
                "ordering": ("order", "pk"),
                "constraints": (
                    models.UniqueConstraint(fields=("incident", "order"), name="order_once_per_incident"),
                    models.UniqueConstraint(
                        fields=("order",),
                        condition=models.Q(recovered_at__isnull=True),
                        name="incident_open_once_per_order",
                    ),
                ),
            },
        ),
        migrations.AlterField(
            "incident",
            "order",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="incidents_before",
                to="orders.order",
                verbose_name="order",
            ),
        ),
    )
