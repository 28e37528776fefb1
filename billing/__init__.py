"""What customers pay: subscriptions, invoices and their documents."""
