"""Which content a browser may load: strict for our own pages, relaxed where others wrote them."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Every response carries a policy; a view's own decorator wins."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The relaxed policy under the addresses that `settings` name, the strict one elsewhere."""
        parts = super().get_policy_parts(request, response, report_only)
        is_relaxed = request.path_info.startswith(settings.CONTENT_SECURITY_RELAXED_AT)
        if is_relaxed and parts.config is None and not report_only:
            parts.config = dict(settings.CONTENT_SECURITY_RELAXED)
        return parts
