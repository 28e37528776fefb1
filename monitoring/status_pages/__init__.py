"""The status page of a customer and its feeds, for whoever has the link."""
