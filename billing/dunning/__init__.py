"""Reminders of unpaid invoices, suspension and resumption."""
