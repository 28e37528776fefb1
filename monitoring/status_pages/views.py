"""The status page, its JSON, feed and badge; the secret link is the only key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from monitoring.models import StatusPage
from monitoring.status_pages import formats
from monitoring.status_pages.display import StatusSummary, summary_of

View = Callable[..., HttpResponse]
FRESH_SECONDS = 30


def for_holders(view: Callable[[HttpRequest, StatusPage, StatusSummary], HttpResponse]) -> View:
    """Passes the summary of the link to the view; unknown links are 404, and search engines index none."""

    @require_safe
    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        page = get_object_or_404(StatusPage.objects.select_related("customer").opened_by(token))
        response = view(request, page, summary_of(page.customer))
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "no-referrer"  # the address is the secret
        patch_cache_control(response, private=True, max_age=FRESH_SECONDS)
        return response

    return opened


@for_holders
def status_page(request: HttpRequest, page: StatusPage, summary: StatusSummary) -> HttpResponse:
    """The page."""
    return render(request, "monitoring/status.html", {"page": page, "summary": summary})


@for_holders
def status_json(request: HttpRequest, page: StatusPage, summary: StatusSummary) -> HttpResponse:
    """The same as JSON."""
    return JsonResponse(formats.as_json(summary, url=page.url))


@for_holders
def status_feed(request: HttpRequest, page: StatusPage, summary: StatusSummary) -> HttpResponse:
    """The same as RSS."""
    return HttpResponse(formats.as_feed(summary, url=page.url), content_type="application/rss+xml; charset=utf-8")


@for_holders
def status_badge(request: HttpRequest, page: StatusPage, summary: StatusSummary) -> HttpResponse:
    """A badge for other pages."""
    badge = formats.badge(summary)
    return render(request, "monitoring/badge.svg", {"badge": badge}, content_type="image/svg+xml")
