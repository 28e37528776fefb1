
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0018_incident_has_orders'),
    ]

    operations = [
        migrations.AddField(
            model_name='reportfile',
            name='other_files',
            field=models.JSONField(blank=True, default=dict, verbose_name='other files'),
        ),
    ]
