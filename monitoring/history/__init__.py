"""Outages, data gaps and daily availability, kept for as long as reports need them."""
