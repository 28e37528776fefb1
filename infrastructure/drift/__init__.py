"""Drift scans: our records compared with every provider, and what staff can do about the findings."""
