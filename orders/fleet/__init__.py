"""A release rolled over all orders of a product, in waves, stopped by the first failure."""
