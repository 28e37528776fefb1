"""Where an order answers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from core.outside.check_messages import in_words
from core.outside.http_check import HttpCheck
from infrastructure.models.deployment import Deployment
from orders.models import Order


class Endpoint(Resource):
    """An address of a running order, and whether it kept its promise at the last look."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="endpoints", verbose_name=_("order"))
    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="endpoints", verbose_name=_("deployment")
    )
    name = models.SlugField(_("name"), max_length=60)
    application = models.CharField(_("application"), max_length=120)
    url = models.URLField(_("address"), max_length=500)
    check_url = models.URLField(_("checked address"), max_length=500)
    check_status = models.PositiveSmallIntegerField(_("expected status"), default=200)
    check_contains = models.CharField(_("expected text"), max_length=200, blank=True)
    check_max_seconds = models.FloatField(_("longest answer (s)"), default=10.0)
    is_ok = models.BooleanField(_("answers"), null=True)
    message = models.CharField(_("last result"), max_length=250, blank=True)
    seconds = models.FloatField(_("answered in (s)"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ("order", "pk")
        constraints = (models.UniqueConstraint(fields=("deployment", "name"), name="endpoint_once_per_deployment"),)

    def __str__(self) -> str:
        return self.url

    @property
    def words(self) -> str:
        """The last result, as anybody may read it."""
        return self.message if self.is_ok else in_words(self.message, max_seconds=self.check_max_seconds)

    @property
    def check_spec(self) -> HttpCheck:
        """What is asked of the address."""
        return HttpCheck(
            url=self.check_url,
            status=self.check_status,
            contains=self.check_contains,
            max_seconds=self.check_max_seconds,
        )
