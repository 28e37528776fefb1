"""The sentence of a failed check is made when it is shown; the cause of an outage is its failure."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0014_checks_have_a_failure")]

    operations = [
        migrations.RemoveField("monitorcheck", "message"),
        migrations.RemoveField("outage", "cause"),
        migrations.RenameField("outage", "failure", "cause"),
    ]
