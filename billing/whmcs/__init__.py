"""Where WHMCS bills: its invoices are created once, and their payments read back."""
