"""Mail from before there were kinds gets the kind of its template, so that the portal shows it."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

KINDS = {
    "orders/mail/pending": "placed",
    "orders/mail/active": "active",
    "orders/mail/suspended": "suspended",
    "orders/mail/resumed": "resumed",
    "orders/mail/removed": "removal",
    "monitoring/mail/incident_opened": "incident",
    "monitoring/mail/incident_resolved": "incident",
    "monitoring/mail/maintenance_planned": "maintenance",
    "monitoring/mail/maintenance_moved": "maintenance",
    "monitoring/mail/maintenance_cancelled": "maintenance",
    "monitoring/mail/report": "report",
    "billing/mail/invoice": "invoice",
    "billing/mail/invoice_of_orders": "invoice",
    "billing/mail/credit_note": "invoice",
    "billing/mail/reminder": "reminder",
    "billing/mail/price_change": "price",
}


def fill_kinds(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    messages = apps.get_model("customers", "Message").objects.filter(kind="", customer__isnull=False)
    for template, kind in KINDS.items():
        messages.filter(template=template).update(kind=kind)


class Migration(migrations.Migration):
    dependencies = [("customers", "0020_notification_choices")]

    operations = [migrations.RunPython(fill_kinds, migrations.RunPython.noop)]
