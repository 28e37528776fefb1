"""The sentence of a failed check is made when it is shown."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("infrastructure", "0014_endpoints_have_a_failure")]

    operations = [migrations.RemoveField("endpoint", "message")]
