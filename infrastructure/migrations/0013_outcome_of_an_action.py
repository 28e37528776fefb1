from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("infrastructure", "0012_looks_have_a_lease")]

    operations = [migrations.RenameField(model_name="errand", old_name="ending", new_name="outcome")]
