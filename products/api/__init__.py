"""Products, releases and plans under `/api/v1/`."""
