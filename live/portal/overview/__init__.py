"""What a member sees first: what to do, and how each order is."""
