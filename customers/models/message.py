"""Mail to customers and staff: one row per mail, sent once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from customers.choices import MailKind
from customers.models.customer import Customer


class Message(Resource):
    """A mail to a customer or to staff, written with the change it is about, rendered and sent by a worker.

    `key` is what it is about (`order:GL7K3M:active`): there is one mail for it. Until it is sent there is a template
    and its context (customers.mail_rendering); afterwards the texts hold what was sent.
    """

    key = models.CharField(_("about"), max_length=120, unique=True)
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        related_name="messages",
        verbose_name=_("customer"),
        null=True,
        blank=True,
        help_text=_("Empty: a mail to staff."),
    )
    kind = models.CharField(
        _("kind"), max_length=20, choices=MailKind.choices, blank=True, default="", db_default="", db_index=True
    )
    to = models.JSONField(_("to"), help_text=_("Addresses."))
    template = models.CharField(_("template"), max_length=120, blank=True, default="", db_default="")
    context = models.JSONField(_("context"), default=dict, blank=True, db_default={})
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    attachments = models.JSONField(_("attachments"), default=list, blank=True)  # [{"name", "path", "type"}] in storage
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    bounced_at = models.DateTimeField(
        _("came back"), null=True, blank=True, help_text=_("When it first did not reach an address.")
    )

    class Meta(Resource.Meta):
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.subject or self.key
