"""The icons of releases, as pictures that can do nothing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from products.models import ReleasePictures

POLICY = "default-src 'none'; style-src 'none'; sandbox"
"""For whoever opens the picture by itself; it was checked when it was imported."""


@login_required
@require_safe
def release_icon(request: HttpRequest, pk: int) -> HttpResponse:
    """The icon of a release; it never changes, so browsers may keep it."""
    return icon_response(pk)


def icon_response(release_pk: int | None) -> HttpResponse:
    """The icon of a release; raises Http404 where its icon is a symbol, or where there is no release."""
    pictures = get_object_or_404(ReleasePictures.objects.exclude(icon_type=""), release=release_pk)
    return HttpResponse(
        bytes(pictures.icon),
        content_type=pictures.icon_type,
        headers={
            "Cache-Control": "private, max-age=31536000, immutable",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
        },
    )
