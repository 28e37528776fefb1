"""API tokens of programs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from customers.models.customer import Customer
from customers.tokens.choices import covers, full_access, is_within


class ApiToken(AbstractAuthToken):
    """An API token: stored as a hash, shown once, valid until it expires or is revoked.

    It acts for its user and never exceeds what the user may do; scopes, customer and networks narrow that further.
    """

    name = models.CharField(_("name"), max_length=100, blank=True, help_text=_("Which program uses it."))
    scopes = models.JSONField(_("scopes"), default=full_access, help_text=_("What it may be used for."))
    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="api_tokens",
        verbose_name=_("customer"),
        help_text=_("Limits the token to this customer. Empty: everything its user can see."),
    )
    networks = models.JSONField(
        _("allowed networks"), default=list, blank=True, help_text=_("Empty: it may be used from anywhere.")
    )
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.name or self.token_key

    def allows(self, resource: str, *, write: bool) -> bool:
        """True when its scopes allow reading (or changing) the resource."""
        return covers(self.scopes, resource, write=write)

    def admits(self, address: str) -> bool:
        """True when it may be used from this IP address."""
        return is_within(address, self.networks)
