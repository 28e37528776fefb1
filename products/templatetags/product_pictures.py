"""A product's description as HTML, and the drawing of a release's composition."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from products.display import composition_drawing, description_html
from products.models import Product, Release

register = template.Library()


@register.filter
def description(product: Product) -> SafeString:
    """The product's description as HTML."""
    return description_html(product)


@register.inclusion_tag("products/_composition.html")
def composition(release: Release | None) -> dict[str, Any]:
    """The drawing of the release's composition with its key; nothing where there is none."""
    return {"drawing": composition_drawing(release) if release else ""}
