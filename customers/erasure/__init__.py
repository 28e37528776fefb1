"""Erasure: what identifies people is removed on request; what the law says to keep stays (GDPR, article 17)."""
