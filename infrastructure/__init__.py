"""Servers, compositions and endpoints: from a plan's size to an address that answers."""
