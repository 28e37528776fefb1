"""How products and releases are shown, in the admin and in the portal."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from products.models import Product, Release, ReleasePictures
from products.pictures.description import render_description
from products.pictures.drawing import draw_composition


def description_html(product: Product) -> SafeString:
    """The product's description, or its summary where it has none, as HTML that is safe in any page."""
    return SafeString(render_description(product.local_description or product.local_summary))  # sanitised by nh3


def composition_drawing(release: Release) -> SafeString:
    """The release's composition as an SVG; empty for a release whose outline is not stored yet."""
    pictures = ReleasePictures.objects.filter(release=release).only("outline").first()
    if pictures is None:
        return SafeString("")
    title = _("Composition of %(product)s %(version)s") % {"product": release.product, "version": release.version}
    return draw_composition(
        pictures.outline, release.localised("endpoints"), title=title, key=f"composition-{release.pk}"
    )


def composition_figure(release: Release) -> SafeString:
    """The drawing with its key; empty where there is none."""
    drawing = composition_drawing(release)
    return SafeString(render_to_string("products/_composition.html", {"drawing": drawing}) if drawing else "")
