"""Existing hosts: written off when they are gone, and their orders moved elsewhere."""
