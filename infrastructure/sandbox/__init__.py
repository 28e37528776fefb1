"""A cloud and a runtime that are tables: the whole life of an order without a credential."""
