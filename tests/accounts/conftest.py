"""The portal's cast: a customer with an owner and a read-only member, and a stranger."""

from __future__ import annotations

from tests.portal.conftest import _no_rate_limit_left_over, customer, onlooker, owner, sign_in, stranger

__all__ = ["_no_rate_limit_left_over", "customer", "onlooker", "owner", "sign_in", "stranger"]
