"""What follows from the state that is derived of an order: how its changes end."""
