"""The endpoints of sandbox compositions: real HTTP, a small real map, simulated content otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core import clock
from infrastructure.models import Endpoint
from infrastructure.sandbox.models import SandboxComposition, SandboxNode, SandboxSwitches
from infrastructure.sandbox.ogc.wfs import answer_wfs
from infrastructure.sandbox.ogc.wms import answer_wms


@require_safe
@cache_control(no_store=True)
def endpoint(request: HttpRequest, key: str, path: str) -> HttpResponse:
    """The simulated response; 503 while the service is starting, stopped or switched off."""
    composition = SandboxComposition.objects.filter(key=key).first()
    if composition is None:
        raise Http404
    if not _answers(composition):
        return HttpResponse("Sandbox: this service is not available now.\n", status=503, content_type="text/plain")
    return _answer(request, key, path)


def _answers(composition: SandboxComposition) -> bool:
    if composition.is_stopped or composition.ready_at > clock.now():
        return False
    if SandboxSwitches.objects.filter(provider=composition.provider_id, endpoints_down=True).exists():
        return False
    is_off = Q(is_stopped=True) | Q(ready_at__gt=clock.now())
    return not SandboxNode.objects.filter(is_off, provider=composition.provider_id, name=composition.key).exists()


def _answer(request: HttpRequest, key: str, path: str) -> HttpResponse:
    """What the endpoint at the path answers; nothing in it says whose order it is."""
    row = _endpoint_at(key, path)
    asked = {name.lower(): str(value) for name, value in request.GET.items()}
    title, address = f"SANDBOX: {row.application}", request.build_absolute_uri(request.path)
    service = asked.get("service", "").upper() or _usual_service(row, asked)
    if service == "WMS":
        response = answer_wms(asked, address=address, title=title)
    elif service == "WFS":
        response = answer_wfs(asked, address=address, title=title)
    elif asked:
        response = HttpResponse(f"{title}\n", content_type="text/plain; charset=utf-8")
    else:
        response = render(request, "sandbox/page.html", {"title": title, "address": address})
    return _as_checked(response, row, is_check=row.check_url.endswith(request.get_full_path()))


def _endpoint_at(key: str, path: str) -> Endpoint:
    for row in Endpoint.objects.filter(order__reference=key.removeprefix("live-").upper()):
        urls = [url.split(f"/{key}", 1)[-1].split("?")[0] for url in (row.url, row.check_url)]
        if f"/{path}" in urls:
            return row
    raise Http404


def _usual_service(row: Endpoint, asked: Mapping[str, str]) -> str:
    """The service of a request that names none, by the endpoint's name."""
    names = f"{row.name} {row.application}".upper()
    if not asked.get("request"):
        return ""
    return "WFS" if "WFS" in names or "FEATURE" in names else "WMS" if "WMS" in names or "MAP" in names else ""


def _as_checked(response: HttpResponse, row: Endpoint, *, is_check: bool) -> HttpResponse:
    """The answer to a check has the status and the text that the check asks for."""
    if not is_check:
        return response
    response.status_code = row.check_status
    if row.check_contains.encode() not in response.content:
        text = f"SANDBOX: {row.application}\n{row.check_contains}\n"
        return HttpResponse(text, status=row.check_status, content_type="text/plain; charset=utf-8")
    return response
