"""The texts of mail before it is sent."""

from __future__ import annotations

from customers.mail_rendering import render_mail
from customers.models import Message


def render_waiting() -> None:
    """Every message that waits holds its texts, as the worker would render them now."""
    for message in Message.objects.filter(sent_at=None, text=""):
        mail = render_mail(message)
        Message.objects.filter(pk=message.pk).update(subject=mail.subject, text=mail.text, html=mail.html)
