"""Invoices as structured data: EN 16931 in its two syntaxes, CII and UBL, and the check before one is sent."""
