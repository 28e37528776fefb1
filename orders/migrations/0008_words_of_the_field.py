"""Fields carry the names that the code uses now; the data is kept."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("orders", "0007_the_database_fills_new_columns")]

    operations = [
        migrations.RemoveIndex(model_name="order", name="order_needs_person"),
        migrations.RenameField(model_name="order", old_name="needs_person", new_name="needs_attention"),
        migrations.RenameField(model_name="orderpart", old_name="told", new_name="customer_message"),
        migrations.AlterField(
            model_name="order",
            name="needs_attention",
            field=models.BooleanField(default=False, verbose_name="needs attention"),
        ),
        migrations.AlterField(
            model_name="order",
            name="state",
            field=models.CharField(choices=[("draft", "Draft"), ("pending", "Pending approval"), ("provisioning", "Provisioning"), ("active", "Active"), ("degraded", "Degraded"), ("suspended", "Suspended"), ("removing", "Removing"), ("removed", "Removed"), ("attention", "Needs attention")], default="draft", max_length=12, verbose_name="state"),
        ),
        migrations.AlterField(
            model_name="orderpart",
            name="customer_message",
            field=models.TextField(blank=True, db_default="", default="", help_text="Without technical details.", verbose_name="message for customers"),
        ),
        migrations.AlterField(
            model_name="orderpart",
            name="state",
            field=models.CharField(choices=[("working", "In progress"), ("ready", "Ready"), ("down", "Down"), ("maintenance", "Under maintenance"), ("suspended", "Suspended"), ("removed", "Removed"), ("failed", "Needs attention")], max_length=12, verbose_name="state"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(condition=models.Q(("needs_attention", True)), fields=["-id"], name="order_needs_attention"),
        ),
    ]
