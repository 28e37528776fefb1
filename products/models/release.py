"""A release: one state of a product, copied in and never changed."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from core.text.languages import in_reader_language
from products.manifest import NAME_OF_ITEM
from products.models.product import Product


class Release(Timestamped):
    """A git tag or commit of a product: its manifest, composition and digest, copied in and never changed."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="releases", verbose_name=_("product"))
    version = models.CharField(
        _("version"), max_length=80, help_text=_("A git tag, a commit, or the content's digest.")
    )
    digest = models.CharField(_("digest"), max_length=64, help_text=_("SHA-256 of every file of the product."))
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    author = models.CharField(_("author"), max_length=200, blank=True)
    message = models.TextField(_("message"), blank=True)
    manifest = models.JSONField(_("manifest"))
    compose = models.TextField(_("composition"))

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("product", "version"), name="version_once_per_product"),
            models.UniqueConstraint(fields=("product", "digest"), name="digest_once_per_product"),
        )

    def __str__(self) -> str:
        return f"{self.product.slug} {self.version}"

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """What the customer chooses."""
        return list(self.manifest.get("inputs", ()))

    @property
    def secrets(self) -> list[dict[str, Any]]:
        """What is generated for each order."""
        return list(self.manifest.get("secrets", ()))

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """Where the running product answers, and how that is checked."""
        return list(self.manifest.get("endpoints", ()))

    def localised(self, section: str) -> list[dict[str, Any]]:
        """The inputs, secrets or endpoints with their labels in the reader's language; nothing else differs."""
        texts = in_reader_language(self.manifest.get("translations", {})).get(section, {})
        return [_translated(item, texts.get(item[NAME_OF_ITEM[section]])) for item in self.manifest.get(section, ())]


def _translated(item: dict[str, Any], text: Any) -> dict[str, Any]:
    if isinstance(text, str):
        return {**item, "application" if "application" in item else "label": text}
    if not text:
        return item
    labels = text.get("choices", {})
    choices = [{**option, "label": labels.get(option["value"], option["label"])} for option in item.get("choices", ())]
    texts = {name: text[name] for name in ("label", "help") if name in text}
    return {**item, **texts, **({"choices": choices} if choices else {})}


class ReleaseBundle(models.Model):
    """The files of a release as a tar.gz, apart so that lists never load them."""

    release = models.OneToOneField(Release, on_delete=models.CASCADE, related_name="bundle", verbose_name=_("release"))
    archive = models.BinaryField(_("archive"))

    class Meta:
        verbose_name = _("release bundle")
        verbose_name_plural = _("release bundles")

    def __str__(self) -> str:
        return str(self.release_id)


class ReleasePictures(models.Model):
    """What is shown of a release beside its texts: its icon, and the outline from which its composition is drawn."""

    release = models.OneToOneField(
        Release, on_delete=models.CASCADE, related_name="pictures", verbose_name=_("release")
    )
    icon = models.BinaryField(_("icon"), blank=True, default=b"")
    icon_type = models.CharField(_("media type of the icon"), max_length=20, blank=True)
    outline = models.JSONField(_("outline of the composition"), default=dict, blank=True)

    class Meta:
        verbose_name = _("release pictures")
        verbose_name_plural = _("release pictures")

    def __str__(self) -> str:
        return str(self.release_id)
