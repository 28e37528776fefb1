"""How people get in: by invitation only."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by staff; nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always false."""
        return False
