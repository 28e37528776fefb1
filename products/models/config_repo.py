"""A config-repo: where products are defined."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField
from core.models import Timestamped


class ConfigRepoQuerySet(models.QuerySet["ConfigRepo"]):
    """Sets of config-repos."""

    def enabled(self) -> ConfigRepoQuerySet:
        """Those that are synced."""
        return self.filter(is_enabled=True)


class ConfigRepo(Timestamped):
    """A project on GitLab, a git repository or a folder that holds `products/`; several can be synced at once."""

    class Kind(models.TextChoices):
        GITLAB = "gitlab", _("GitLab project")
        GIT = "git", _("Git repository")
        FOLDER = "folder", _("Folder of this machine")

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.GITLAB)
    address = models.CharField(
        _("address"),
        max_length=300,
        blank=True,
        help_text=_("The address of GitLab, of the git repository, or the path of the folder."),
    )
    project = models.CharField(
        _("project"), max_length=200, blank=True, help_text=_("GitLab only: group/project, or its number.")
    )
    branch = models.CharField(
        _("branch"), max_length=120, blank=True, help_text=_("GitLab only; empty for the default branch.")
    )
    path = models.CharField(
        _("path"), max_length=200, blank=True, help_text=_("The folder that holds “products”; empty for the top.")
    )
    credentials = EncryptedJSONField(_("credentials"), null=True, blank=True, editable=False)
    """`token` reads the project (read_api; api where commit statuses are wanted), `webhook_secret` is GitLab's."""
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    is_default = models.BooleanField(
        _("from the settings"), default=False, editable=False, help_text=_("Defined by the site's environment.")
    )
    synced_at = models.DateTimeField(_("last sync"), null=True, blank=True, editable=False)
    position = models.JSONField(_("position"), default=dict, blank=True, editable=False)
    """The commit of the branch and of each tag at the last sync."""
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    tested_at = models.DateTimeField(_("connection tested"), null=True, blank=True, editable=False)
    test_result = models.CharField(_("connection"), max_length=300, blank=True, editable=False)

    objects = ConfigRepoQuerySet.as_manager()
    SECRET_NAMES: ClassVar = ("token", "webhook_secret")

    class Meta:
        verbose_name = _("config-repo")
        verbose_name_plural = _("config-repos")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("is_default",), condition=Q(is_default=True), name="one_default_config_repo"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        """Empty when none is stored."""
        return str((self.credentials or {}).get("token", ""))

    @property
    def webhook_secret(self) -> str:
        """Empty when none is stored: then no webhook is accepted."""
        if self.is_default and settings.GITLAB_WEBHOOK_SECRET:
            return str(settings.GITLAB_WEBHOOK_SECRET)
        return str((self.credentials or {}).get("webhook_secret", ""))

    @property
    def commit(self) -> str:
        """The commit at the last sync; empty for a folder."""
        return str(self.position.get("head", ""))
