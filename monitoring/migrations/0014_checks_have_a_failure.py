"""Why a check failed is a kind with its parameters; the sentences are taken over, and go with the next migration."""

import core.failure_field
from core.migrations._check_sentences import failure_of, sentence_of
from django.db import migrations

from monitoring.adapters.zabbix_failures import failure_of_text

SENTENCES = (("MonitorCheck", "message"), ("Outage", "cause"))


def failure_of_any(sentence):
    """Of the built-in checker, or of Zabbix."""
    failure = failure_of(sentence)
    return failure_of_text(sentence) if failure and failure["kind"] == "other" else failure


def take_over(apps, schema_editor):
    for model, column in SENTENCES:
        rows = apps.get_model("monitoring", model).objects
        for row in rows.exclude(**{column: ""}).only("pk", column).iterator():
            rows.filter(pk=row.pk).update(failure=failure_of_any(getattr(row, column)))


def give_back(apps, schema_editor):
    for model, column in SENTENCES:
        rows = apps.get_model("monitoring", model).objects
        for row in rows.filter(failure__isnull=False).only("pk", "failure").iterator():
            rows.filter(pk=row.pk).update(**{column: sentence_of(row.failure.to_json())})


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0013_labels_in_plain_english")]

    operations = [
        migrations.AddField("monitorcheck", "failure", core.failure_field.CheckFailureField(verbose_name="failure")),
        migrations.AddField("outage", "failure", core.failure_field.CheckFailureField(verbose_name="cause")),
        migrations.RunPython(take_over, give_back),
    ]
