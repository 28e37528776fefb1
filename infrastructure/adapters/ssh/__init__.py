"""Hosts over SSH, with a key and a pinned host key each."""
