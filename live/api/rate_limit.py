"""How many requests a caller may send, and the headers that say how many are left."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module by the settings


class RateLimit(UserRateThrottle):
    """`API_RATE` per user, or per address for callers without an account."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """True when the caller may go on; what is left is noted for the headers of the response."""
        allowed = super().allow_request(request, view)
        if self.rate is not None and getattr(self, "history", None) is not None:
            limit, seconds = self.parse_rate(self.rate)
            oldest = self.history[-1] if self.history else self.now
            request._request.rate_limit = {  # type: ignore[attr-defined]  # read by RateLimitHeaders
                "RateLimit-Limit": str(limit),
                "RateLimit-Remaining": str(max(0, int(limit or 0) - len(self.history))),
                "RateLimit-Reset": str(max(0, math.ceil(oldest + (seconds or 0) - self.now))),
            }
        return allowed


class RateLimitHeaders:
    """Every response of the API says how many requests are left, and in how many seconds the first is forgotten."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in getattr(request, "rate_limit", {}).items():
            response[name] = value
        return response
