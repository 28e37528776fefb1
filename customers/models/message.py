"""What customers are told: one row per mail, sent once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from customers.models.customer import Customer


class Message(Resource):
    """A mail to a customer, written with the change it tells of and sent by a worker.

    `key` is what it is about (`order:GL7K3M:active`): the same news is never written twice.
    """

    key = models.CharField(_("about"), max_length=120, unique=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="messages", verbose_name=_("customer")
    )
    to = models.JSONField(_("to"), help_text=_("Addresses."))
    subject = models.CharField(_("subject"), max_length=250)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    attachments = models.JSONField(_("attachments"), default=list, blank=True)  # [{"name", "path", "type"}] in storage
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.subject
