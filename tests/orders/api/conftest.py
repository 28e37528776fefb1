"""The callers of the API's tests, for the orders' own."""

from __future__ import annotations

from tests.api.conftest import (
    _fresh_throttles,
    calling,
    customer,
    draft,
    operator,
    owner,
    stranger,
    viewer,
)

__all__ = ["_fresh_throttles", "calling", "customer", "draft", "operator", "owner", "stranger", "viewer"]
