
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0004_wording'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoicepdf',
            name='other_files',
            field=models.JSONField(blank=True, default=dict, verbose_name='other files'),
        ),
    ]
