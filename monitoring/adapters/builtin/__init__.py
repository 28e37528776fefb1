"""The built-in HTTP checker."""
