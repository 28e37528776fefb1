"""The outside parts of a run, each behind a proxy: real services of the lab, or doubles that speak their language."""
