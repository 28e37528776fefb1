"""Rows for what was billed and paid before, VAT rates, a reminder plan; then the triggers, for every table of money.

SQLite drops the triggers of a table that it remakes: a later migration that alters these tables has to set them again.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import migrations
from django.db.models import F, OuterRef, Subquery

FROZEN = {
    "billing_invoice": (
        "kind", "number", "customer_id", "order_id", "subscription_id", "corrects_id", "reason", "period_start",
        "period_end", "issued_on", "due_on", "language", "currency", "seller", "buyer", "payment", "net", "tax",
        "gross", "breakdown", "euro_rate", "euro_rate_on", "tax_in_euro", "evidence", "is_specimen",
    ),
    "billing_invoiceline": (
        "invoice_id", "order_id", "corrects_id", "position", "description", "detail", "quantity", "unit_price", "net",
        "vat_category", "vat_rate", "period_start", "period_end",
    ),
    "billing_billedperiod": ("subscription_id", "start", '"end"', "invoice_id"),
    "billing_payment": (
        "customer_id", "kind", "method", "amount", "currency", "received_on", "reference", "transaction_id",
    ),
    "billing_settlement": ("payment_id", "credit_note_id", "invoice_id", "refund_id", "amount", "settled_on"),
}  # fmt: skip
MESSAGES = {
    "billing_invoice": "An issued invoice never changes",
    "billing_invoiceline": "An issued invoice never changes",
    "billing_billedperiod": "A billed period never changes",
    "billing_payment": "A payment never changes",
    "billing_settlement": "A settlement never changes",
}
SKIPPED = "A period does not begin where the last one ended"
# Standard rates: European Commission, Taxes in Europe Database (TEDB), with their last changes.
RATES = {
    "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25", "ES": "21", "FR": "20",
    "GR": "24", "HR": "25", "HU": "27", "IE": "23", "IT": "22", "LT": "21", "LU": "17", "LV": "21", "MT": "18",
    "NL": "21", "PL": "23", "PT": "23", "SE": "25", "SI": "22",
}  # fmt: skip
SINCE = date(2024, 1, 1)
CHANGES = (
    ("EE", date(2024, 1, 1), "22"),
    ("EE", date(2025, 7, 1), "24"),
    ("FI", date(2024, 1, 1), "24"),
    ("FI", date(2024, 9, 1), "25.5"),
    ("RO", date(2024, 1, 1), "19"),
    ("RO", date(2025, 8, 1), "21"),
    ("SK", date(2024, 1, 1), "20"),
    ("SK", date(2025, 1, 1), "23"),
)
REMINDERS = (
    (-3, "Invoice {number} is due on {due}", "A short note: {amount} for invoice {number} is due on {due}.", False),
    (
        7,
        "Reminder: invoice {number}",
        "We have not received {amount} for invoice {number}, due on {due}. Please pay it within seven days.",
        False,
    ),
    (
        21,
        "Second reminder: invoice {number}",
        "Invoice {number} over {amount} was due on {due}. Without payment we suspend the service in seven days.",
        False,
    ),
    (
        28,
        "Service suspended: invoice {number}",
        "Invoice {number} over {amount} was due on {due}. The service is suspended; it resumes when you have paid.",
        True,
    ),
)


def freeze_statements(vendor: str) -> list[str]:
    """What sets the triggers on a database of that vendor."""
    changes = [statement for table, columns in FROZEN.items() for statement in _freeze(vendor, table, columns)]
    return [*changes, *_chain(vendor)]


def thaw_statements(vendor: str) -> list[str]:
    """What takes them away again."""
    on, names = "" if vendor == "sqlite" else " ON {table}", ("changes", "goes")
    drops = [f"DROP TRIGGER {table}_never_{name}{on.format(table=table)}" for table in FROZEN for name in names]
    drops.append(f"DROP TRIGGER billing_no_period_skipped{on.format(table='billing_billedperiod')}")
    if vendor == "sqlite":
        return drops
    functions = [f"DROP FUNCTION {table}_never_changes()" for table in FROZEN]
    return [*drops, *functions, "DROP FUNCTION billing_no_period_skipped()"]


def _freeze(vendor: str, table: str, columns: tuple[str, ...]) -> list[str]:
    message = MESSAGES[table]
    if vendor == "sqlite":
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
        refuse = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        return [
            f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} FOR EACH ROW WHEN {changed} {refuse}",
            f"CREATE TRIGGER {table}_never_goes BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
        ]
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    function = f"{table}_never_changes()"
    return [
        _refusing(function, f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"),
        f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) "
        f"EXECUTE FUNCTION {function}",
        f"CREATE TRIGGER {table}_never_goes BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}",
    ]


def _chain(vendor: str) -> list[str]:
    follows = (
        'EXISTS (SELECT 1 FROM billing_billedperiod b WHERE b.subscription_id = NEW.subscription_id '
        'AND b."end" = NEW.start) OR EXISTS (SELECT 1 FROM billing_subscription s WHERE s.id = NEW.subscription_id '
        "AND s.started_on = NEW.start)"
    )
    name = "billing_no_period_skipped"
    if vendor == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{SKIPPED}') WHERE NOT ({follows}); END"
        return [f"CREATE TRIGGER {name} BEFORE INSERT ON billing_billedperiod FOR EACH ROW {refuse}"]
    raising = f"RAISE EXCEPTION '{SKIPPED}' USING ERRCODE = 'integrity_constraint_violation';"
    return [
        _refusing(f"{name}()", f"IF NOT ({follows}) THEN {raising} END IF; RETURN NEW;"),
        f"CREATE TRIGGER {name} BEFORE INSERT ON billing_billedperiod FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def _refusing(function: str, body: str) -> str:
    return f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def set_triggers(apps: Any, schema_editor: Any) -> None:
    """From now on nothing that was issued, billed, paid or settled can change."""
    for statement in freeze_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    """What was issued is only protected by our own code."""
    for statement in thaw_statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def fill(apps: Any, schema_editor: Any) -> None:
    """What was billed and paid before has its rows."""
    get = lambda name: apps.get_model("billing", name)  # noqa: E731
    invoices = get("Invoice").objects
    of_invoice = invoices.filter(pk=OuterRef("invoice"))
    get("InvoiceLine").objects.update(order=Subquery(of_invoice.values("order")))
    get("BilledPeriod").objects.bulk_create(
        [
            get("BilledPeriod")(subscription_id=sub, start=start, end=end, invoice_id=pk)
            for pk, sub, start, end in invoices.order_by("pk").values_list(
                "pk", "subscription", "period_start", "period_end"
            )
        ],
        batch_size=500,
    )
    for invoice in invoices.filter(state="paid", gross__gt=0).iterator():
        payment = get("Payment").objects.create(
            customer_id=invoice.customer_id,
            method="other",
            amount=invoice.gross,
            currency=invoice.currency,
            received_on=invoice.paid_on,
            reference=invoice.number,
            used=invoice.gross,
        )
        get("Settlement").objects.create(
            payment=payment, invoice=invoice, amount=invoice.gross, settled_on=invoice.paid_on
        )
    invoices.filter(state="paid").update(settled=F("gross"))


def seed(apps: Any, schema_editor: Any) -> None:
    """The VAT rates of the member states, and a plan of reminders that staff can change."""
    rows = [*((country, SINCE, rate) for country, rate in RATES.items()), *CHANGES]
    model = apps.get_model("billing", "VatRate")
    model.objects.bulk_create(
        [model(country=country, valid_from=day, rate=Decimal(rate)) for country, day, rate in rows]
    )
    step = apps.get_model("billing", "ReminderStep")
    step.objects.bulk_create(
        [step(days=days, subject=subject, text=text, suspends=ends) for days, subject, text, ends in REMINDERS]
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_getting_paid")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
        migrations.RunPython(set_triggers, drop_triggers),
    ]
