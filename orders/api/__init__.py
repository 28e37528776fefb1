"""Orders under `/api/v1/`, and the kit for rows that belong to an order."""
