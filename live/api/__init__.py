"""What every API address shares: authentication, pages, errors, schema."""
