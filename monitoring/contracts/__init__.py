"""The protocols and values that backends and models share."""
