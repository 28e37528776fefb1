from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0002_servers_rest_and_reboot")]

    operations = [migrations.RenameField("sandboxswitches", "failing_errands", "failing_actions")]
