"""The webhooks of a viewer's customers: created, changed, tested, and what was sent to them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Refusal
from customers.choices import Ability
from customers.models import Customer, Webhook
from customers.webhooks.services import (
    change_webhook,
    create_webhook,
    delete_webhook,
    replay,
    rotate_secret,
    send_test,
)
from live.portal.access import viewer
from live.portal.integrations.forms import WebhookRequestForm
from live.portal.views.refusals import refusals_shown

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhooks(request: HttpRequest) -> HttpResponse:
    """The webhooks of the viewer's customers, and a form for another; its secret is shown this once."""
    customers = Customer.objects.where_may(viewer(request), Ability.OPERATE)
    if not customers.exists():
        raise PermissionDenied
    form = WebhookRequestForm(request.POST or None, customers=customers)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_webhook(actor=viewer(request), **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            return _page(request, made, secret=made.secret)
    rows = Webhook.objects.visible_to(viewer(request)).filter(customer__in=customers).select_related("customer")
    context = {"form": form, "webhooks": rows, "section": "profile"}
    return render(request, "portal/webhooks.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook: its settings, to be changed, and the log of its deliveries."""
    row = own_webhook(request, pk)
    if request.method != "POST":
        return _page(request, row)
    form = WebhookRequestForm(request.POST)
    if form.is_valid():
        try:
            change_webhook(webhook=row, is_active="is_active" in request.POST, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("Saved."))
            return redirect("portal:webhook", pk=pk)
    return _page(request, row, form=form)


@login_required
@require_POST
@never_cache
@sensitive_variables("changed")
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """The webhook has a new secret, shown this once."""
    changed = rotate_secret(webhook=own_webhook(request, pk))
    return _page(request, changed, secret=changed.secret)


@login_required
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """A test event is sent."""
    return _done(request, pk, send_test, _("The test is being sent. Its result appears below."))


@login_required
@require_POST
def replay_failed(request: HttpRequest, pk: int) -> HttpResponse:
    """Deliveries that failed for good are sent again."""
    return _done(request, pk, replay, _("The failed deliveries are being sent again."))


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """The webhook and its log are gone."""
    row = own_webhook(request, pk)
    delete_webhook(webhook=row)
    messages.success(request, _("The webhook “%(name)s” has been deleted.") % {"name": row})
    return redirect("portal:webhooks")


def own_webhook(request: HttpRequest, pk: int) -> Webhook:
    """The webhook, if it is of a customer whose systems the viewer operates; else there is no such page."""
    customers = Customer.objects.where_may(viewer(request), Ability.OPERATE)
    rows = Webhook.objects.filter(customer__in=customers.order_by().values("pk"))
    return get_object_or_404(rows.select_related("customer"), pk=pk)


def _done(request: HttpRequest, pk: int, verb: Callable[..., object], message: str) -> HttpResponse:
    with refusals_shown(request):
        verb(webhook=own_webhook(request, pk))
        messages.success(request, message)
    return redirect("portal:webhook", pk=pk)


def _page(
    request: HttpRequest, row: Webhook, *, form: WebhookRequestForm | None = None, secret: str = ""
) -> HttpResponse:
    page = Paginator(row.deliveries.all(), PER_PAGE).get_page(request.GET.get("page"))
    stored = {"name": row.name, "url": row.url, "events": row.events}
    context = {
        "webhook": row,
        "form": form or WebhookRequestForm(initial=stored),
        "page": page,
        "secret": secret,
        "section": "profile",
    }
    return render(request, "portal/webhook.html", context, status=422 if form is not None else 200)
