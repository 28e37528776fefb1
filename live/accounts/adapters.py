"""How people get in: by invitation, with a code by e-mail; staff may use a password."""

from __future__ import annotations

import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.fields import decrypt, encrypt
from customers.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by staff; nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always false."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to the profile, which is where the change began."""
        return reverse("portal:profile")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The mail has left, or the reader is told that it could not; a mail server that is down breaks no page."""
        try:
            super().send_mail(template_prefix, email, context)
        except (smtplib.SMTPException, OSError):
            logger.exception("No mail could be sent for %s", template_prefix)
            text = _("We cannot send e-mail at the moment. Please try again in a few minutes.")
            self.add_message(self.request, messages.ERROR, message=text)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """The news goes to the address the user signs in with; allauth alone would want a row of its own for it."""
        super().send_notification_mail(template_prefix, user, context, email or user.email or None)

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """The mail knows what this site is called and whom to write to, as every other mail of ours does."""
        site = {
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "contact_email": settings.SELLER["email"],
        }
        mail: EmailMessage = super().render_mail(template_prefix, email, {**context, **site}, headers)
        return mail


class MfaAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps and recovery codes are sealed in the database like every other secret."""

    def encrypt(self, text: str) -> str:
        """`text` as it is stored."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What `encrypt` was given."""
        return decrypt(encrypted_text)
