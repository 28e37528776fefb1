"""Changes of a running order by staff: choose, see what differs, confirm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one
from orders import display as order_display
from orders.admin.new_order import PREFIX, input_field
from orders.admin.order_page import money_words
from orders.allowed_actions import RULES
from orders.changes import services
from orders.changes.display import preview_plan, preview_release
from orders.choices import OrderAction
from orders.models import Order
from orders.order_panels import registered_panels
from products.models import Plan, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something that the order may change to."""

    value: int
    name: str
    detail: str
    mark: str = ""


class ChangeForm(ReasonForm):
    """The reason, and the inputs that a change asks for."""

    def __init__(self, request: HttpRequest, action: ConfirmedAction) -> None:
        super().__init__(request, action, _("Shown on the timeline, to the customer too."))

    def ask_inputs(self, specs: Sequence[dict[str, Any]], present: dict[str, Any] | None = None) -> None:
        """The form has these inputs before the reason, with what is `present`."""
        for spec in specs:
            field = input_field(spec)
            field.initial = (present or {}).get(spec["key"], field.initial)
            self.fields[PREFIX + spec["key"]] = field
        self.order_fields([*(PREFIX + spec["key"] for spec in specs), "why"])

    @property
    def inputs(self) -> dict[str, Any]:
        """What was entered, by input key."""
        entered = {name.removeprefix(PREFIX): value for name, value in self.cleaned_data.items() if name != "why"}
        return {key: "" if value is None else value for key, value in entered.items()}

    def answers(self) -> dict[str, Any]:
        """The reason alone: what was entered is not repeated in the history."""
        return {"why": self.cleaned_data.get("why", "")}


class SecretsForm(ChangeForm):
    """Which secrets get a new value."""

    keys = forms.MultipleChoiceField(
        label=_("Secrets"),
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("Each gets a new value."),
    )
    field_order = ("keys", "why")

    def __init__(self, request: HttpRequest, action: ConfirmedAction, release: Release) -> None:
        super().__init__(request, action)
        specs = services.rotatable_secrets(release)
        field: Any = self.fields["keys"]
        field.choices = [(spec["key"], spec.get("label", spec["key"])) for spec in specs]
        field.initial = [spec["key"] for spec in specs]


def upgrade(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Choose a later release, see the differences, confirm."""
    order = _order(model_admin, request, object_id)
    if (refused := _refused(request, order, OrderAction.UPGRADE)) is not None:
        return refused
    releases = services.releases_for(order, earlier=False)
    release = next((row for row in releases if str(row.pk) == request.GET.get("to")), None)
    if release is None:
        title = gettext("Upgrade")
        return _choose(model_admin, request, order, title, [_release_option(order, row) for row in releases])
    action = ConfirmedAction(
        title=gettext("Upgrade to %(version)s") % {"version": release.version},
        says=_(
            "Images are built and pulled while the present services run. Then the services are replaced; if they do "
            "not pass every check in time, the order goes back to its present release by itself. All data is kept."
        ),
        done=_("Order %(row)s is being upgraded."),
        verb=lambda order, actor, why: services.upgrade_order(
            order=order, release=release, inputs=form.inputs, actor=actor, why=why
        ),
    )
    form = ChangeForm(request, action)
    form.ask_inputs(services.new_inputs(order, release))
    return _confirm(model_admin, request, order, action, form, preview=preview_release(order, release))


def roll_back(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Choose an earlier release and confirm; or stop the change in progress."""
    order = _order(model_admin, request, object_id)
    if (refused := _refused(request, order, OrderAction.ROLL_BACK)) is not None:
        return refused
    if order.is_changing:
        return _stop_change(model_admin, request, order)
    releases = services.releases_for(order, earlier=True)
    release = next((row for row in releases if str(row.pk) == request.GET.get("to")), None)
    if release is None:
        title = gettext("Roll back")
        return _choose(model_admin, request, order, title, [_release_option(order, row) for row in releases])
    action = ConfirmedAction(
        title=gettext("Roll back to %(version)s") % {"version": release.version},
        says=_("The services are replaced by those of the earlier release. All data is kept as it is now."),
        done=_("Order %(row)s is going back."),
        verb=lambda order, actor, why: services.roll_back_order(order=order, release=release, actor=actor, why=why),
        needs_reason=True,
    )
    form = ChangeForm(request, action)
    return _confirm(model_admin, request, order, action, form, preview=preview_release(order, release))


def change_plan(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Choose another plan, see size and price, confirm."""
    order = _order(model_admin, request, object_id)
    if (refused := _refused(request, order, OrderAction.CHANGE_PLAN)) is not None:
        return refused
    plans = services.plans_for(order)
    plan = next((row for row in plans if str(row.pk) == request.GET.get("to")), None)
    if plan is None:
        return _choose(model_admin, request, order, gettext("Change plan"), [_plan_option(row) for row in plans])
    action = ConfirmedAction(
        title=gettext("Change to plan %(plan)s") % {"plan": plan.name},
        says=_("The order gets the size and the price of the other plan. All data is kept."),
        done=_("Order %(row)s is changing its plan."),
        verb=lambda order, actor, why: services.change_plan(order=order, plan=plan, actor=actor, why=why),
        needs_reason=True,
    )
    consequences = [sentence for room in registered_panels() for sentence in room.plan_change(order, plan)]
    form = ChangeForm(request, action)
    return _confirm(
        model_admin, request, order, action, form, preview=preview_plan(order, plan), consequences=consequences
    )


def change_inputs(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """The order's settings, changed by the service."""
    order = _order(model_admin, request, object_id)
    if (refused := _refused(request, order, OrderAction.CHANGE_INPUTS)) is not None:
        return refused
    action = ConfirmedAction(
        title=_("Change settings"),
        says=_(
            "The services are restarted with the new settings. If they do not pass their checks, the order goes back."
        ),
        done=_("Order %(row)s is getting its new settings."),
        verb=lambda order, actor, why: services.change_inputs(order=order, inputs=form.inputs, actor=actor, why=why),
    )
    form = ChangeForm(request, action)
    form.ask_inputs(order.release.inputs, order.inputs)
    return _confirm(model_admin, request, order, action, form)


def rotate_secrets(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """New values for the order's secrets."""
    order = _order(model_admin, request, object_id)
    if (refused := _refused(request, order, OrderAction.ROTATE_SECRETS)) is not None:
        return refused
    action = ConfirmedAction(
        title=_("Renew secrets"),
        says=_(
            "New values are generated and the services are restarted with them. Whoever uses the old values loses "
            "access."
        ),
        done=_("Order %(row)s is getting new secrets."),
        verb=lambda order, actor, why: services.rotate_secrets(
            order=order, keys=form.cleaned_data["keys"], actor=actor, why=why
        ),
        needs_reason=True,
    )
    form = SecretsForm(request, action, order.release)
    return _confirm(model_admin, request, order, action, form)


def _stop_change(model_admin: Any, request: HttpRequest, order: Order) -> HttpResponse:
    action = ConfirmedAction(
        title=_("Stop the change and go back"),
        says=_("The change in progress ends here, and the order goes back to what it was before. All data is kept."),
        done=_("Order %(row)s is going back."),
        verb=lambda order, actor, why: services.roll_back_order(order=order, actor=actor, why=why),
        needs_reason=True,
    )
    return _confirm(model_admin, request, order, action, ChangeForm(request, action))


def _order(model_admin: Any, request: HttpRequest, object_id: str) -> Order:
    order: Order | None = model_admin.get_object(request, object_id)
    if order is None:
        raise Http404
    return order


def _back(order: Order) -> str:
    return reverse("admin:orders_order_change", args=(order.pk,))


def _refused(request: HttpRequest, order: Order, kind: OrderAction) -> HttpResponse | None:
    """Back to the order with the reason, where its state does not allow the change."""
    if order.allows(kind):
        return None
    messages.error(request, str(RULES[kind].refusal))
    return redirect(_back(order))


def _choose(
    model_admin: Any, request: HttpRequest, order: Order, title: str, options: Sequence[Option]
) -> TemplateResponse:
    context = {**_context(model_admin, request, order), "title": title, "options": options}
    return TemplateResponse(request, "admin/orders/order/choose.html", context)


def _confirm(
    model_admin: Any, request: HttpRequest, order: Order, action: ConfirmedAction, form: ChangeForm, **context: object
) -> HttpResponse:
    return change_one(
        model_admin,
        request,
        order,
        action,
        form,
        name=order.reference,
        back=_back(order),
        header="admin/orders/order/_change_header.html",
        order=order,
        tone=order_display.tone_of(order),
        **context,
    )


def _context(model_admin: Any, request: HttpRequest, order: Order) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": order,
        "order": order,
        "tone": order_display.tone_of(order),
        "back": _back(order),
    }


def _release_option(order: Order, release: Release) -> Option:
    offered = order.release.product.present_release_id == release.pk
    day = date_format(localtime(release.created_at), "j M Y")
    detail = " · ".join(part for part in (day, release.author, release.message.strip().partition("\n")[0]) if part)
    mark = gettext("for new orders") if offered else ""
    return Option(value=release.pk, name=release.version, detail=detail, mark=mark)


def _plan_option(plan: Plan) -> Option:
    size = gettext("%(cpus)s CPUs, %(ram)s GB memory, %(disk)s GB disk")
    size %= {"cpus": plan.cpus, "ram": plan.ram_gb, "disk": plan.disk_gb}
    return Option(
        value=plan.pk, name=plan.name, detail=size, mark=f"{money_words(plan.money)} / {plan.get_period_display()}"
    )
