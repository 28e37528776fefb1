"""What staff do from a customer's page: invite, view the portal as a member, have the VAT id checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin.confirmed_actions import ConfirmedAction, confirm_context
from core.errors import Refusal
from customers.choices import Role
from customers.erasure.services import anonymise_customer, obstacles_to_erasure
from customers.invitations.services import invite_member
from customers.models import Customer, Membership
from customers.support_views.services import start_support_view
from customers.vat_checks.services import request_vat_check

SUPPORT_VIEW = "support_view"  # the session's key, which live.accounts.support_views reads


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=_("E-mail"), widget=UnfoldAdminEmailInputWidget)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.OWNER, widget=UnfoldAdminSelectWidget)


class ViewAsForm(forms.Form):
    """As which member, and why."""

    member = forms.ModelChoiceField(Membership.objects.none(), label=_("Member"), widget=UnfoldAdminSelectWidget)
    why = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept in the customer's history."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["member"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = customer.memberships.filter(user__is_staff=False).select_related("user", "customer")


def invite_to(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """A form, and then the invitation."""
    customer = _customer(model_admin, request, object_id)
    form = InviteForm(request.POST or None, initial=_suggested(request))
    if request.method == "POST" and form.is_valid():
        try:
            invite_member(customer=customer, actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            messages.success(request, gettext("Invitation sent to %(email)s.") % form.cleaned_data)
            return redirect("admin:customers_customer_change", customer.pk)
    action = ConfirmedAction(
        title=_("Invite a person"), says=_("The person gets a link by e-mail."), verb=lambda row: None
    )
    return _page(model_admin, request, customer, action, form)


def _suggested(request: HttpRequest) -> dict[str, str]:
    """What a link to the form brings along: the address of a person in WHMCS, and the role of a contact."""
    return {name: value for name in ("email", "role") if (value := request.GET.get(name, ""))}


def view_as_member(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """A form, and then the portal."""
    customer = _customer(model_admin, request, object_id)
    form = ViewAsForm(request.POST or None, customer=customer)
    if request.method == "POST" and form.is_valid():
        try:
            view = start_support_view(
                membership=form.cleaned_data["member"],
                staff=request.user,  # type: ignore[arg-type]
                why=form.cleaned_data["why"],
            )
        except Refusal as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            request.session[SUPPORT_VIEW] = view.pk
            return redirect("/")
    says = _("You see the portal as the member does, read-only, for half an hour. It is in the customer's history.")
    action = ConfirmedAction(title=_("View as member"), says=says, verb=lambda row: None)
    return _page(model_admin, request, customer, action, form)


def check_vat_id(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """VIES is asked, once that is confirmed."""
    customer = _customer(model_admin, request, object_id)
    if request.method == "POST":
        if request_vat_check(customer=customer) is None:
            messages.warning(request, gettext("VIES does not answer for this VAT id."))
        else:
            messages.success(request, gettext("VIES is being asked. The answer will appear on this page."))
        return redirect("admin:customers_customer_change", customer.pk)
    says = _("VIES is asked whether the VAT id is in use. Until it answers, nothing changes.")
    return _page(model_admin, request, customer, ConfirmedAction(title=_("Check VAT id"), says=says, verb=str), None)


class AnonymiseForm(forms.Form):
    """The reason, and the customer's number typed by hand: nothing brings the names back."""

    number = forms.CharField(
        label=_("Customer number"),
        help_text=_("Enter the customer's number to confirm."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    why = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept in the history. Do not name people in it."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer

    def clean_number(self) -> str:
        """What was typed is the number of this customer."""
        typed = str(self.cleaned_data["number"]).strip().upper()
        if typed != self.customer.number:
            raise forms.ValidationError(gettext("This is not the number of this customer."))
        return typed


def anonymise(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Says what goes and what stays; once confirmed, the customer is anonymised."""
    customer = _customer(model_admin, request, object_id)
    back = redirect("admin:customers_customer_change", customer.pk)
    if obstacles := obstacles_to_erasure(customer):
        messages.error(request, " ".join(obstacles))
        return back
    form = AnonymiseForm(request.POST or None, customer=customer)
    if request.method == "POST" and form.is_valid():
        try:
            anonymise_customer(customer=customer, actor=request.user, why=form.cleaned_data["why"])  # type: ignore[arg-type]
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, gettext("The customer has been anonymised."))
            return back
    says = _(
        "Names, addresses, contacts, mails, notes and inputs of orders are removed, and the accounts of people who "
        "belong to no other customer. Invoices, payments and VAT evidence are kept: tax law requires it. This cannot "
        "be undone."
    )
    action = ConfirmedAction(title=_("Anonymise"), says=says, verb=str, is_destructive=True)
    return _page(model_admin, request, customer, action, form)


def _customer(model_admin: Any, request: HttpRequest, object_id: str) -> Customer:
    customer: Customer | None = model_admin.get_object(request, object_id)
    if customer is None:
        raise Http404
    return customer


def _page(
    model_admin: Any, request: HttpRequest, customer: Customer, action: ConfirmedAction, form: forms.Form | None
) -> TemplateResponse:
    back = reverse("admin:customers_customer_change", args=(customer.pk,))
    context = {**confirm_context(model_admin, request, action), "form": form or (), "back": back, "original": customer}
    return TemplateResponse(request, "admin/confirm.html", context)
