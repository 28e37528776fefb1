"""What is sold, as the API shows it; compositions and the names of secrets stay inside."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from core.api.base import MoneySerializer, ResourceSerializer, RowSerializer
from core.api.selection import Expansion
from core.money import Money
from products.input_fields import customer_inputs
from products.models import Plan, Product, Release


class ProductSerializer(ResourceSerializer):
    """A set of orchestrated services."""

    icon_url = serializers.SerializerMethodField(help_text="Where the icon is a picture; null where it names a symbol.")

    class Meta:
        model = Product
        fields = ("slug", "name", "summary", "description", "icon", "icon_url", "state", "created_at", "updated_at")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_icon_url(self, product: Product) -> str | None:
        """The address of the picture in this API."""
        if not product.has_icon_file:
            return None
        return reverse("api:products-icon", args=(product.slug,), request=self.context["request"])


PRODUCT = Expansion(
    path="product",
    serializer=ProductSerializer,
    scope="products",
    permission="products.view_product",
    select=("product",),
)


class ProductNameSerializer(RowSerializer):
    """A product where something of it is shown."""

    class Meta:
        model = Product
        fields = ("slug", "name")


class ReleaseSerializer(ResourceSerializer):
    """One state of a product, with what may be chosen and where it will answer."""

    expansions = {"product": PRODUCT}

    product = serializers.SlugRelatedField[Product](slug_field="slug", read_only=True)
    inputs = serializers.SerializerMethodField()
    endpoints = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Release
        fields = ("id", "product", "version", "digest", "inputs", "endpoints", "created_at")

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_inputs(self, release: Release) -> list[Any]:
        """What is asked for an order; what only staff set is shown to staff only."""
        user = self.context["request"].user
        sees_all = user.is_staff and user.has_perm("products.view_product")
        return release.inputs if sees_all else customer_inputs(release.inputs)


class PlanSerializer(ResourceSerializer):
    """A size of a product at a price per period."""

    expansions = {"product": PRODUCT}

    product = serializers.SlugRelatedField[Product](slug_field="slug", read_only=True)
    price = MoneySerializer(source="money", read_only=True)
    setup_fee = serializers.SerializerMethodField()

    class Meta:
        model = Plan
        fields = (
            "id",
            "product",
            "slug",
            "name",
            "price",
            "setup_fee",
            "period",
            "placement",
            "cpus",
            "ram_gb",
            "disk_gb",
            "auto_approve",
            "state",
        )

    @extend_schema_field(MoneySerializer)
    def get_setup_fee(self, plan: Plan) -> dict[str, Any]:
        """What is asked once, at the start."""
        return dict(MoneySerializer(Money(plan.setup_fee, plan.currency)).data)


class PlanNameSerializer(RowSerializer):
    """A plan where something of it is shown."""

    price = MoneySerializer(source="money", read_only=True)

    class Meta:
        model = Plan
        fields = ("slug", "name", "price", "period")
