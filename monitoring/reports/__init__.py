"""The monthly report of an order: figures, promise, credit, PDF."""
