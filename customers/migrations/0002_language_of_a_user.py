"""A user may choose the language of the pages."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_start")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True, help_text="Pages are shown in this language.", max_length=10, verbose_name="language"
            ),
        ),
    ]
