"""Prices, VAT, periods and numbers: how an invoice comes about."""
