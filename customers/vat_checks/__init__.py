"""VAT checks: whether a VAT id is in use, asked of VIES."""
