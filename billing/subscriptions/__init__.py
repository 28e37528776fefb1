"""The subscription of an order: it starts when the order is active and ends with its removal."""
