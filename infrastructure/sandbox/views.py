"""The endpoints of sandbox compositions: real HTTP, simulated content."""

from __future__ import annotations

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core import clock
from infrastructure.models import Endpoint
from infrastructure.sandbox.models import SandboxComposition, SandboxNode, SandboxSwitches


@require_safe
def endpoint(request: HttpRequest, key: str, path: str) -> HttpResponse:
    """The simulated response; 503 while the service is starting, stopped or switched off."""
    composition = SandboxComposition.objects.filter(key=key).first()
    if composition is None:
        raise Http404
    if not _answers(composition):
        return HttpResponse("Sandbox: this service is not available now.\n", status=503, content_type="text/plain")
    return _answer(key, path)


def _answers(composition: SandboxComposition) -> bool:
    if composition.is_stopped or composition.ready_at > clock.now():
        return False
    if SandboxSwitches.objects.filter(provider=composition.provider_id, endpoints_down=True).exists():
        return False
    is_off = Q(is_stopped=True) | Q(ready_at__gt=clock.now())
    return not SandboxNode.objects.filter(is_off, provider=composition.provider_id, name=composition.key).exists()


def _answer(key: str, path: str) -> HttpResponse:
    reference = key.removeprefix("live-").upper()
    for row in Endpoint.objects.filter(order__reference=reference).select_related("order"):
        urls = [url.split(f"/{key}", 1)[-1].split("?")[0] for url in (row.url, row.check_url)]
        if f"/{path}" in urls:
            content = f"SANDBOX: {row.application} of {row.order.name}\n{row.check_contains}\n"
            return HttpResponse(content, status=row.check_status, content_type="text/plain; charset=utf-8")
    raise Http404
