"""Services of membership: invite people, let them in, change their role, remove them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.choices import Role
from customers.history import record_change
from customers.invitations.links import find_invitation, link_of
from customers.models import Customer, Invitation, Membership, User
from customers.services import NothingToChange, admit_user, write_message

__all__ = [
    "InvitationRefused",
    "LastOwner",
    "accept_invitation",
    "change_role",
    "create_invited_account",
    "find_invitation",
    "invite_member",
    "remove_member",
    "resend_invitation",
    "revoke_invitation",
]

MOST_OPEN = 50  # invitations of one customer: nobody mails the world through our server
RESEND_AFTER = timedelta(minutes=1)


class InvitationRefused(Refusal):
    """The person cannot be invited, or the invitation cannot be used."""

    code = "invitation_refused"


class LastOwner(Refusal):
    """A customer with members keeps an owner."""

    code = "last_owner"


@transaction.atomic
def invite_member(*, customer: Customer, email: str, role: str, actor: User | None = None) -> Invitation:
    """The person at `email` is mailed a link to become a member; raises InvitationRefused."""
    email = email.strip().lower()
    Customer.objects.select_for_update().get(pk=customer.pk)  # two invitations at once are counted one by one
    if customer.memberships.filter(user__email__iexact=email).exists():
        raise InvitationRefused(_("%(email)s is a member already.") % {"email": email}, field="email")
    unanswered = customer.invitations.unanswered()
    if unanswered.filter(email__iexact=email).exists():
        message = _("%(email)s has been invited already. Send that invitation again instead.")
        raise InvitationRefused(message % {"email": email}, field="email")
    if unanswered.count() >= MOST_OPEN:
        raise InvitationRefused(_("Too many invitations are open. Revoke those that are not needed."))
    now = clock.now()
    invitation = Invitation.objects.create(
        customer=customer, email=email, role=role, invited_by=actor, sent_at=now, expires_at=now + _lifetime()
    )
    _send(invitation)
    message = f"Invited {email} as {invitation.get_role_display()}."
    record_change(customer=customer, actor=actor, message=message)
    return invitation


@transaction.atomic
def resend_invitation(*, invitation: Invitation, actor: User | None = None) -> Invitation:
    """The person gets a new link, and earlier ones no longer work; raises InvitationRefused."""
    invitation = _lock(invitation)
    if invitation.accepted_at or invitation.revoked_at:
        raise InvitationRefused(_("This invitation is no longer open."))
    now = clock.now()
    if now - invitation.sent_at < RESEND_AFTER:
        raise InvitationRefused(_("The invitation has just been sent. Wait a minute before you send it again."))
    invitation.link_version += 1
    invitation.sent_at, invitation.expires_at = now, now + _lifetime()
    invitation.save(update_fields=("link_version", "sent_at", "expires_at", "updated_at"))
    _send(invitation)
    record_change(
        customer=invitation.customer, actor=actor, message=f"Sent the invitation of {invitation.email} again."
    )
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: User | None = None) -> Invitation:
    """The link no longer works; raises InvitationRefused when it was used or revoked before."""
    invitation = _lock(invitation)
    if invitation.accepted_at or invitation.revoked_at:
        raise InvitationRefused(_("This invitation is no longer open."))
    invitation.revoked_at = clock.now()
    invitation.save(update_fields=("revoked_at", "updated_at"))
    record_change(customer=invitation.customer, actor=actor, message=f"Revoked the invitation of {invitation.email}.")
    return invitation


@transaction.atomic
def create_invited_account(*, invitation: Invitation) -> User:
    """There is an account for the invited address, so that its owner can sign in and accept."""
    user = User.objects.filter(email__iexact=invitation.email).first()
    if user is None:
        user = User(username=invitation.email[:150], email=invitation.email, language=invitation.customer.language)
        user.set_unusable_password()
        user.save()
    return user


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User) -> Membership:
    """The user, who proved to read the invited address by signing in with it, is a member; raises InvitationRefused."""
    invitation = _lock(invitation)
    if invitation.state != Invitation.State.OPEN:
        raise InvitationRefused(_("This invitation is no longer open."))
    if user.email.lower() != invitation.email.lower():
        message = _("This invitation is for %(email)s. Sign in with that address to accept it.")
        raise InvitationRefused(message % {"email": invitation.email})
    if user.is_staff:
        raise InvitationRefused(_("Accounts of staff do not become members. Use an address of your own."))
    admit_user(customer=invitation.customer, email=user.email, role=invitation.role)
    invitation.accepted_at, invitation.accepted_by = clock.now(), user
    invitation.save(update_fields=("accepted_at", "accepted_by", "updated_at"))
    record_change(
        customer=invitation.customer, actor=user, message=f"Accepted the invitation as {invitation.get_role_display()}."
    )
    return invitation.customer.memberships.get(user=user)


@transaction.atomic
def change_role(*, membership: Membership, role: str, actor: User | None = None) -> Membership:
    """The member has another role; raises LastOwner when nobody would be left to manage the team."""
    membership = _lock_team(membership)
    if membership.role == role:
        raise NothingToChange(_("%(member)s has this role already.") % {"member": membership.user})
    if role != Role.OWNER:
        _check_another_owner(membership)
    membership.role = role
    membership.save(update_fields=("role", "updated_at"))
    message = f"Changed the role of {membership.user.email} to {membership.get_role_display()}."
    record_change(customer=membership.customer, actor=actor, message=message)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: User | None = None) -> None:
    """The person no longer sees what the customer has; the account stays. Raises LastOwner."""
    membership = _lock_team(membership)
    _check_another_owner(membership)
    membership.delete()
    record_change(customer=membership.customer, actor=actor, message=f"Removed the member {membership.user.email}.")


def _check_another_owner(membership: Membership) -> None:
    others = membership.customer.memberships.exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.filter(role=Role.OWNER).exists():
        raise LastOwner(_("This is the only owner. Make another member an owner first."))


def _lock(invitation: Invitation) -> Invitation:
    return Invitation.objects.select_for_update(of=("self",)).select_related("customer").get(pk=invitation.pk)


def _lock_team(membership: Membership) -> Membership:
    """The membership, while nobody else changes those of the same customer."""
    Customer.objects.select_for_update().get(pk=membership.customer_id)
    return Membership.objects.select_related("user", "customer").get(pk=membership.pk)


def _lifetime() -> timedelta:
    return timedelta(days=settings.INVITATION_DAYS)


def _send(invitation: Invitation) -> None:
    write_message(
        key=f"invitation:{invitation.pk}:{invitation.link_version}",
        customer=invitation.customer,
        template="customers/mail/invitation",
        context={
            "inviter": str(invitation.invited_by or settings.SITE_NAME),
            "role": invitation.get_role_display(),
            "link": link_of(invitation),
            "expires_at": invitation.expires_at,
        },
        to=[invitation.email],
    )
