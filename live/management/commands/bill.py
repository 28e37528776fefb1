"""`manage.py bill`: invoice every period that has begun, or show what would be invoiced."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.invoicing.services import bill_due_subscriptions, preview_run
from billing.models import BillingRun
from core import clock
from core.money import Money


class Command(BaseCommand):
    """Safe to repeat: a period that has been billed is not billed again."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """The day, and whether only to look."""
        parser.add_argument("--on", type=_day, help="Bill as of this day (YYYY-MM-DD); default: today.")
        parser.add_argument("--preview", action="store_true", help="Show what would be invoiced; store nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every period that has begun by then has its invoice."""
        day = options["on"] or clock.today()
        if options["preview"]:
            self._preview(day)
            return
        if day > clock.today():
            raise CommandError("Invoices cannot be issued ahead: use --preview to look at a later day.")
        count = bill_due_subscriptions(today=day)
        self.stdout.write(f"{count} invoices issued as of {day}.")
        run = BillingRun.objects.first()
        for reference, problem in run.problems if run and run.day == day else []:
            self.stderr.write(f"Not billed: {reference}: {problem}")

    def _preview(self, day: date) -> None:
        preview = preview_run(today=day)
        for draft in preview.drafts:
            invoice = draft.invoice
            orders = ", ".join(part.subscription.order.reference for part in draft.parts)
            amount = Money(invoice.gross, invoice.currency)
            specimen = " (specimen)" if invoice.is_specimen else ""
            self.stdout.write(f"{invoice.period_start}  {invoice.customer}  {orders}  {amount}{specimen}")
        for subscription, problem in preview.problems:
            self.stdout.write(f"Cannot be billed: {subscription.order.reference}: {problem}")
        totals = ", ".join(str(Money(gross, currency)) for currency, gross in sorted(preview.totals.items()))
        self.stdout.write(f"{len(preview.drafts)} invoices, {totals or 'nothing to pay'}.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is not a day: write it as 2026-12-31") from error
