"""A product: a set of orchestrated services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from core.text.languages import in_reader_language
from products.models.config_repo import ConfigRepo
from products.pictures.icon import is_icon_file

if TYPE_CHECKING:
    from products.models.release import Release


class ProductQuerySet(models.QuerySet["Product"]):
    """Sets of products."""

    def on_sale(self) -> Self:
        """Those a customer may order now."""
        return self.filter(state=Product.State.ON_SALE)

    def from_repo(self, repo: ConfigRepo | None) -> Self:
        """Those that the config-repo defines; all where none is named."""
        if repo is None:
            return self
        owned = models.Q(config_repo=repo)
        return self.filter(owned | models.Q(config_repo=None) if repo.is_default else owned)


class Product(Timestamped):
    """A set of orchestrated services, defined in the config-repo; its texts follow the newest release."""

    class State(models.TextChoices):
        ON_SALE = "on_sale", _("On sale")
        RETIRED = "retired", _("Retired")

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    summary = models.CharField(_("summary"), max_length=250, blank=True)
    description = models.TextField(_("description"), blank=True)
    icon = models.CharField(_("icon"), max_length=60, blank=True)
    config_repo = models.ForeignKey(
        ConfigRepo,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="products",
        verbose_name=_("config-repo"),
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ON_SALE)
    is_trusted = models.BooleanField(
        _("trusted"), default=False, help_text=_("Its composition may use what the policy otherwise refuses.")
    )
    present_release = models.ForeignKey(
        "products.Release",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("present release"),
        help_text=_("What the catalogue holds now: new orders get it."),
    )
    translations = models.JSONField(
        _("translations"),
        default=dict,
        db_default={},
        blank=True,
        editable=False,
        help_text=_("The texts of the present release by language."),
    )
    import_error = models.TextField(_("import error"), blank=True, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("name",)
        permissions = (
            ("sync_catalogue", _("Can sync the catalogue")),
            ("sell_product", _("Can put products on sale and retire them")),
            ("trust_product", _("Can mark a product as trusted (compose policy off)")),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def local_name(self) -> str:
        """The name in the reader's language."""
        return str(in_reader_language(self.translations).get("name", self.name))

    @property
    def local_summary(self) -> str:
        """The summary in the reader's language."""
        return str(in_reader_language(self.translations).get("summary", self.summary))

    @property
    def local_description(self) -> str:
        """The description in the reader's language."""
        return str(in_reader_language(self.translations).get("description", self.description))

    @property
    def has_icon_file(self) -> bool:
        """True when the icon is a picture of the product's own; otherwise `icon` names a symbol."""
        return is_icon_file(self.icon) and self.present_release_id is not None

    @property
    def newest_release(self) -> Release | None:
        """The release that new orders get: what the catalogue holds now, which may be an older one put back."""
        return self.present_release or self.releases.order_by("-pk").first()
