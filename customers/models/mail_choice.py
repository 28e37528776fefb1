"""What each person wants to be notified of."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from customers.choices import MailKind
from customers.models.people import User


class MailChoice(Timestamped):
    """One kind of mail that a person has switched on or off; without a row the contacts of the customer decide."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mail_choices", verbose_name=_("user"))
    kind = models.CharField(_("kind"), max_length=20, choices=MailKind.choices)
    is_on = models.BooleanField(_("on"))

    class Meta:
        verbose_name = _("notification choice")
        verbose_name_plural = _("notification choices")
        constraints = (
            models.UniqueConstraint(fields=("user", "kind"), name="mail_choice_once"),
            models.CheckConstraint(condition=Q(kind__in=MailKind.values), name="mail_choice_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.get_kind_display()}"
