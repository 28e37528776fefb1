"""The endpoints of an order."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.failure_field import CheckFailureField
from core.models import Resource
from core.outside.check_messages import failure_message, success_message
from core.outside.http_check import HttpCheck
from infrastructure.models.deployment import Deployment
from orders.models import Order


class Endpoint(Resource):
    """An address of an order, with the result of its last check."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="endpoints", verbose_name=_("order"))
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="endpoints", verbose_name=_("deployment")
    )
    name = models.SlugField(_("name"), max_length=60)
    application = models.CharField(_("application"), max_length=120)
    url = models.URLField(_("URL"), max_length=500)
    check_url = models.URLField(_("checked URL"), max_length=500)
    check_status = models.PositiveSmallIntegerField(_("expected status"), default=200)
    check_contains = models.CharField(_("expected text"), max_length=200, blank=True)
    check_max_seconds = models.FloatField(_("time limit (s)"), default=10.0)
    is_retired = models.BooleanField(
        _("retired"),
        default=False,
        db_default=False,
        help_text=_("The release being deployed no longer has it; deleted once that release has passed its checks."),
    )
    is_ok = models.BooleanField(_("passing"), null=True)
    failure = CheckFailureField(_("failure"))
    seconds = models.FloatField(_("response time (s)"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ("order", "pk")
        constraints = (models.UniqueConstraint(fields=("deployment", "name"), name="endpoint_once_per_deployment"),)

    def __str__(self) -> str:
        return self.url

    @property
    def public_message(self) -> str:
        """The last result in words, for customers and staff; empty before the first check."""
        if self.is_ok:
            return success_message(self.check_status)
        return failure_message(self.failure, max_seconds=self.check_max_seconds)

    @property
    def detail(self) -> str:
        """The technical text behind the last failure, for staff."""
        return self.failure.detail if self.failure else ""

    @property
    def check_spec(self) -> HttpCheck:
        """The HTTP check of this endpoint."""
        return HttpCheck(
            url=self.check_url,
            status=self.check_status,
            contains=self.check_contains,
            max_seconds=self.check_max_seconds,
        )
