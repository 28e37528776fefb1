"""How members change a running order: first what would differ, then, confirmed, the service."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.errors import Refusal
from customers.choices import Ability
from live.portal.access import own_order, viewer
from live.portal.forms import ReleaseInputsForm
from orders.changes import services
from orders.changes.display import preview_plan, preview_release
from orders.choices import OrderAction
from orders.models import Order
from products.input_fields import customer_inputs

PAGE = ["GET", "HEAD", "POST"]


@login_required
@require_http_methods(PAGE)
def upgrade(request: HttpRequest, reference: str) -> HttpResponse:
    """The release that new orders get: what it changes, and what it asks in addition."""
    order = own_order(request, reference)
    release = order.release.product.present_release
    if release is None or not order.is_outdated:
        messages.info(request, _("Your order already has the current release."))
        return redirect("portal:order", reference=reference)
    return _page(
        request,
        order,
        OrderAction.UPGRADE,
        ReleaseInputsForm(request.POST or None, specs=customer_inputs(services.new_inputs(order, release))),
        lambda form: services.upgrade_order(order=order, release=release, inputs=form.inputs, actor=viewer(request)),
        title=_("Upgrade to %(version)s") % {"version": release.version},
        says=_(
            "We prepare the new version while your services run, then replace them. If the new version does not pass "
            "our checks, we go back to your present one. Your data is kept."
        ),
        button=_("Upgrade"),
        preview=preview_release(order, release),
    )


@login_required
@require_http_methods(PAGE)
def roll_back(request: HttpRequest, reference: str) -> HttpResponse:
    """The release that the order had before."""
    order = own_order(request, reference)
    if order.is_changing:
        return _stop(request, order)
    release = services.former_release(order)
    if release is None:
        return redirect("portal:order", reference=reference)
    return _page(
        request,
        order,
        OrderAction.ROLL_BACK,
        ReleaseInputsForm(request.POST or None, specs=()),
        lambda form: services.roll_back_order(order=order, release=release, actor=viewer(request)),
        title=_("Go back to %(version)s") % {"version": release.version},
        says=_("Your services are replaced by those of the earlier version. Your data stays as it is now."),
        button=_("Go back"),
        preview=preview_release(order, release),
    )


@login_required
@require_http_methods(PAGE)
def change_plan(request: HttpRequest, reference: str) -> HttpResponse:
    """Another plan: the list, then size and price compared."""
    order = own_order(request, reference, Ability.ORDER)
    plans = services.plans_for(order)
    plan = next((row for row in plans if row.slug == request.GET.get("to")), None)
    if plan is None:
        if not order.allows(OrderAction.CHANGE_PLAN):
            return _refused(request, order, OrderAction.CHANGE_PLAN)
        return render(request, "portal/change_plan.html", {"order": order, "plans": plans})
    return _page(
        request,
        order,
        OrderAction.CHANGE_PLAN,
        ReleaseInputsForm(request.POST or None, specs=()),
        lambda form: services.change_plan(order=order, plan=plan, actor=viewer(request)),
        title=_("Change to plan %(plan)s") % {"plan": plan.local_name},
        says=_("Your order gets the size and the price of this plan. Your data is kept."),
        button=_("Change plan"),
        preview=preview_plan(order, plan),
    )


@login_required
@require_http_methods(PAGE)
def change_inputs(request: HttpRequest, reference: str) -> HttpResponse:
    """The settings of a running order."""
    order = own_order(request, reference)
    return _page(
        request,
        order,
        OrderAction.CHANGE_INPUTS,
        ReleaseInputsForm(
            request.POST or None, specs=customer_inputs(order.release.localised("inputs")), inputs=order.inputs
        ),
        lambda form: services.change_inputs(order=order, inputs=form.inputs, actor=viewer(request)),
        title=_("Change settings"),
        says=_("Your services are restarted with the new settings. Your data is kept."),
        button=_("Save and restart"),
    )


@login_required
@require_http_methods(PAGE)
def rotate_secrets(request: HttpRequest, reference: str) -> HttpResponse:
    """New passwords for the services of a running order."""
    order = own_order(request, reference)
    return _page(
        request,
        order,
        OrderAction.ROTATE_SECRETS,
        ReleaseInputsForm(request.POST or None, specs=()),
        lambda form: services.rotate_secrets(order=order, actor=viewer(request)),
        title=_("Renew passwords"),
        says=_("New passwords are generated and your services are restarted with them. The old ones stop working."),
        button=_("Renew passwords"),
        secrets=services.rotatable_secrets(order.release),
    )


def _stop(request: HttpRequest, order: Order) -> HttpResponse:
    """The change in progress ends here."""
    return _page(
        request,
        order,
        OrderAction.ROLL_BACK,
        ReleaseInputsForm(request.POST or None, specs=()),
        lambda form: services.roll_back_order(order=order, actor=viewer(request)),
        title=_("Stop the change and go back"),
        says=_("The change in progress ends here. Your order goes back to what it was before; your data is kept."),
        button=_("Stop and go back"),
    )


def _page(
    request: HttpRequest,
    order: Order,
    action: OrderAction,
    form: ReleaseInputsForm,
    verb: Callable[[ReleaseInputsForm], Order],
    **context: object,
) -> HttpResponse:
    """The page on which a change is confirmed; once it is, the service is called."""
    if not order.allows(action):
        return _refused(request, order, action)
    # A form without fields is not bound by an empty POST: the button itself confirms.
    if request.method == "POST" and (form.is_valid() or not form.fields):
        try:
            verb(form)
        except Refusal as refusal:
            form.add_refusal(refusal)
        else:
            messages.success(request, _("Your change has been requested. We will e-mail you when it is complete."))
            return redirect("portal:order", reference=order.reference)
    return render(request, "portal/change.html", {"order": order, "form": form, **context})


def _refused(request: HttpRequest, order: Order, action: OrderAction) -> HttpResponse:
    messages.error(request, order.refusal(action))
    return redirect("portal:order", reference=order.reference)
