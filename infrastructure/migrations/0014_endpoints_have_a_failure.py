"""Why a check failed is a kind with its parameters; the sentences are taken over, and go with the next migration."""

import core.failure_field
from core.migrations._check_sentences import failure_of, sentence_of
from django.db import migrations


def take_over(apps, schema_editor):
    rows = apps.get_model("infrastructure", "Endpoint").objects
    for row in rows.exclude(message="").exclude(is_ok=True).only("pk", "message").iterator():
        rows.filter(pk=row.pk).update(failure=failure_of(row.message))


def give_back(apps, schema_editor):
    rows = apps.get_model("infrastructure", "Endpoint").objects
    for row in rows.filter(failure__isnull=False).only("pk", "failure").iterator():
        rows.filter(pk=row.pk).update(message=sentence_of(row.failure.to_json())[:250])


class Migration(migrations.Migration):
    dependencies = [("infrastructure", "0013_outcome_of_an_action")]

    operations = [
        migrations.AddField("endpoint", "failure", core.failure_field.CheckFailureField(verbose_name="failure")),
        migrations.RunPython(take_over, give_back),
    ]
