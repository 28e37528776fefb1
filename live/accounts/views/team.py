"""The members of a customer and the invitations to it; owners change them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Refusal
from customers.bounces.services import mail_problems_of
from customers.choices import ABILITIES, Ability, Role
from customers.invitations.services import (
    change_role,
    invite_member,
    remove_member,
    resend_invitation,
    revoke_invitation,
)
from customers.models import Customer, Invitation, Membership
from live.accounts.forms import InvitationForm, RoleForm
from live.portal.access import viewer
from live.portal.views.refusals import refusals_shown


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, number: str) -> HttpResponse:
    """Members and open invitations; a POST invites."""
    customer = get_object_or_404(Customer.objects.visible_to(viewer(request)), number=number)
    may_manage = viewer(request).may(Ability.MANAGE_TEAM, customer)
    form = InvitationForm(request.POST or None)
    if request.method == "POST":
        if not may_manage:
            raise PermissionDenied
        if form.is_valid():
            try:
                invitation = invite_member(customer=customer, actor=viewer(request), **form.cleaned_data)
            except Refusal as refusal:
                form.add_error(refusal.field or None, refusal.message)
            else:
                messages.success(request, _("Invitation sent to %(email)s.") % {"email": invitation.email})
                return redirect("portal:team", number=number)
    context = {"customer": customer, "may_manage": may_manage, "form": form, "roles": role_table()}
    context |= people_of(customer, may_manage=may_manage)
    return render(request, "portal/team.html", context, status=422 if form.errors else 200)


def people_of(customer: Customer, *, may_manage: bool) -> dict[str, Any]:
    """The members, each with the form that changes the role, and for owners the invitations that are not answered."""
    members = customer.memberships.select_related("user").order_by("user__email")
    rows = [(member, RoleForm(initial={"role": member.role}, auto_id=f"role-{member.pk}-%s")) for member in members]
    invitations = list(customer.invitations.unanswered().select_related("invited_by")) if may_manage else []
    contacts = {customer.email, *customer.contacts.values_list("email", flat=True)}
    addresses = [*contacts, *(row.user.email for row, _form in rows), *(row.email for row in invitations)]
    return {"members": rows, "invitations": invitations, "unreachable": mail_problems_of(addresses)}


def role_table() -> list[tuple[str, list[str]]]:
    """Each role with what it includes."""
    return [
        (str(role.label), [str(ability.value) for ability in Ability if ability in ABILITIES[role]]) for role in Role
    ]


@login_required
@require_POST
def member_role(request: HttpRequest, number: str, member: int) -> HttpResponse:
    """The member has the role that was chosen."""
    membership = managed_membership(request, number, member)
    form = RoleForm(request.POST)
    if form.is_valid():
        with refusals_shown(request):
            change_role(membership=membership, role=form.cleaned_data["role"], actor=viewer(request))
            messages.success(request, _("Role changed."))
    else:
        messages.error(request, _("Choose one of the roles."))
    return back_to_team(request, number)


@login_required
@require_POST
def member_removal(request: HttpRequest, number: str, member: int) -> HttpResponse:
    """The member no longer belongs to the customer. Members may also leave by themselves."""
    membership = managed_membership(request, number, member, may_leave=True)
    with refusals_shown(request):
        remove_member(membership=membership, actor=viewer(request))
        messages.success(request, _("%(member)s is no longer a member.") % {"member": membership.user})
    return back_to_team(request, number)


@login_required
@require_POST
def invitation_sending(request: HttpRequest, number: str, invitation: int) -> HttpResponse:
    """The invitation is sent again, with a new link."""
    row = managed_invitation(request, number, invitation)
    with refusals_shown(request):
        resend_invitation(invitation=row, actor=viewer(request))
        messages.success(request, _("Invitation sent to %(email)s.") % {"email": row.email})
    return back_to_team(request, number)


@login_required
@require_POST
def invitation_revocation(request: HttpRequest, number: str, invitation: int) -> HttpResponse:
    """The link of the invitation no longer works."""
    row = managed_invitation(request, number, invitation)
    with refusals_shown(request):
        revoke_invitation(invitation=row, actor=viewer(request))
        messages.success(request, _("Invitation revoked."))
    return back_to_team(request, number)


def managed_membership(request: HttpRequest, number: str, pk: int, *, may_leave: bool = False) -> Membership:
    """The membership, if the viewer manages the team or, with `may_leave`, is this member."""
    customer = get_object_or_404(Customer.objects.visible_to(viewer(request)), number=number)
    membership = get_object_or_404(customer.memberships.select_related("user"), pk=pk)
    is_own = may_leave and membership.user == viewer(request) and not viewer(request).is_staff
    if not is_own and not viewer(request).may(Ability.MANAGE_TEAM, customer):
        raise PermissionDenied
    return membership


def managed_invitation(request: HttpRequest, number: str, pk: int) -> Invitation:
    """The invitation, if the viewer manages the team."""
    customer = get_object_or_404(Customer.objects.visible_to(viewer(request)), number=number)
    if not viewer(request).may(Ability.MANAGE_TEAM, customer):
        raise PermissionDenied
    return get_object_or_404(customer.invitations, pk=pk)


def back_to_team(request: HttpRequest, number: str) -> HttpResponse:
    """The team page, or the front page for somebody who has just left."""
    if Customer.objects.visible_to(viewer(request)).filter(number=number).exists():
        return redirect("portal:team", number=number)
    return redirect("portal:orders")
