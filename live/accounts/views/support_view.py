"""The end of a support view."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from customers.models import SupportView
from customers.support_views import services
from live.accounts.support_views import SESSION_KEY


@login_required
@require_POST
def end_support_view(request: HttpRequest) -> HttpResponse:
    """The portal is shown as before; staff are back on the customer's page in the admin."""
    view: SupportView | None = getattr(request, "support_view", None)
    request.session.pop(SESSION_KEY, None)
    if view is None:
        return redirect("portal:orders")
    services.end_support_view(view=view)
    return redirect("admin:customers_customer_change", view.customer_id)
