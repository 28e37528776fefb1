"""The catalogue: read only; it comes from the config-repo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core.api.base import ChangedFilter, RowFilter, RowsView
from products.api.serializers import PlanSerializer, ProductSerializer, ReleaseSerializer
from products.icons.views import icon_response
from products.models import Plan, Product, Release


class PictureRenderer(JSONRenderer):
    """Lets a caller ask for a picture; what goes wrong is still said in JSON."""

    media_type = "image/*"
    format = "picture"


class ProductFilter(ChangedFilter):
    """By state, and by the last change."""

    state = django_filters.ChoiceFilter(choices=Product.State.choices)

    class Meta:
        model = Product
        fields = ("state", "updated_since")


class ProductView(RowsView):
    """What is on sale; staff also see what is retired."""

    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    permission_classes = (IsAuthenticated,)
    lookup_field = "slug"
    scope = "products"
    customer_path = None
    search_fields = ("slug", "name", "summary")
    orderings = {"created_at": "pk", "name": "name"}

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Those on sale, to everybody."""
        return _on_sale(rows, self.request.user, {"state": Product.State.ON_SALE})

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], renderer_classes=(JSONRenderer, PictureRenderer))
    def icon(self, request: Request, slug: str) -> HttpResponse:
        """Download the icon of the product's present release: an SVG or PNG file. 404 where the icon is a symbol."""
        return icon_response(self.get_object().present_release_id)


class ReleaseFilter(RowFilter):
    """By product, named by its slug."""

    product = django_filters.CharFilter("product__slug")

    class Meta:
        model = Release
        fields = ("product",)


class ReleaseView(RowsView):
    """The releases of what is on sale; a new order gets the newest."""

    queryset = Release.objects.select_related("product").defer("compose", "product__description")
    serializer_class = ReleaseSerializer
    filterset_class = ReleaseFilter
    permission_classes = (IsAuthenticated,)
    scope = "products"
    customer_path = None
    search_fields = ("version", "product__name")

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Those of products on sale, to everybody."""
        return _on_sale(rows, self.request.user, {"product__state": Product.State.ON_SALE})


class PlanFilter(RowFilter):
    """By product, named by its slug, and by state."""

    product = django_filters.CharFilter("product__slug")
    state = django_filters.ChoiceFilter(choices=Plan.State.choices)

    class Meta:
        model = Plan
        fields = ("product", "state")


class PlanView(RowsView):
    """The plans that are offered; staff also see what is retired."""

    queryset = Plan.objects.select_related("product").defer("product__description")
    serializer_class = PlanSerializer
    filterset_class = PlanFilter
    permission_classes = (IsAuthenticated,)
    scope = "products"
    customer_path = None
    search_fields = ("slug", "name", "product__name")
    orderings = {"created_at": "pk", "price": "price", "name": "name"}

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Those offered, to everybody."""
        offered = {"state": Plan.State.OFFERED, "product__state": Product.State.ON_SALE}
        return _on_sale(rows, self.request.user, offered)


def _on_sale(rows: QuerySet[Any], user: Any, offered: Mapping[str, str]) -> QuerySet[Any]:
    sees_all = user.is_staff and user.has_perm("products.view_product")
    return rows if sees_all else rows.filter(**offered)
