"""What monitoring shows on an order's page."""
