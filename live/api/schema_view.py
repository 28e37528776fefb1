"""The published schema, generated once per process: the same version of the code always has the same schema."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_rendered: dict[str, tuple[bytes | str, str]] = {}


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema as YAML or JSON; rendered for the first caller of each and kept for all others."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The schema in the form that was negotiated."""
        renderer = request.accepted_renderer
        if renderer.format not in _rendered:
            response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            content = renderer.render(response.data, renderer.media_type, {"response": response})
            _rendered[renderer.format] = (content, renderer.media_type)
        content, media_type = _rendered[renderer.format]
        answer = HttpResponse(content, content_type=media_type)
        patch_cache_control(answer, public=True, max_age=300)
        patch_vary_headers(answer, ["Accept"])
        return answer
