"""The last observations of a row's machine on its page, and the button to observe it again."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from infrastructure.models import Deployment, Host, Server, Service
from infrastructure.observation.display import ObservationRow, observations_of, observations_of_host
from infrastructure.observation.tasks import observe_all_providers, request_observations


class WithObservations:
    """Mixed into the admin of observed rows: shows the last observations, with a button to re-check."""

    change_form_outer_before_template = "admin/infrastructure/_observation_card.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The page, below the last observations."""
        row = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        extra = {**(extra_context or {}), **(_context(row) if row else {})}
        return super().changeform_view(request, object_id, form_url, extra)  # type: ignore[misc]


def _context(row: Any) -> dict[str, Any]:
    observations, provider = _observations(row)
    return {"observations": observations, "observed_provider": provider}


def _observations(row: Host | Server | Deployment | Service) -> tuple[list[ObservationRow], int]:
    if isinstance(row, Host):
        return observations_of_host(row), row.provider_id
    deployment = row.deployment if isinstance(row, Service) else row
    server = deployment if isinstance(deployment, Server) else deployment.server
    return observations_of(server), server.provider_id


@require_POST
def refresh_now(request: HttpRequest) -> HttpResponse:
    """A worker will observe the given provider, or all; the request itself calls nothing outside."""
    chosen = request.POST.get("provider", "")
    count = (
        request_observations([int(chosen)], with_disk=True)
        if re.fullmatch(r"[0-9]{1,18}", chosen)
        else observe_all_providers()
    )
    message = ngettext(
        "Re-checking %(count)d provider; the result appears here in a moment.",
        "Re-checking %(count)d providers; the results appear here in a moment.",
        count,
    )
    messages.success(request, message % {"count": count} if count else _("There is nothing to check."))
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else reverse("admin:infrastructure_service_changelist"))
