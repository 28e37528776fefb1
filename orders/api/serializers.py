"""Orders as the API shows them and takes them. What went wrong inside is for staff; a customer reads that we act."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.base import RequestSerializer, ResourceSerializer, RowSerializer
from core.api.scopes import within_limit
from core.api.selection import Expansion
from customers.api.serializers import CUSTOMER, CustomerNameSerializer
from customers.models import Customer, User
from orders.api.permissions import is_staff_with
from orders.choices import PartState, State
from orders.models import Order, OrderEvent, OrderPart
from orders.part_reports import reason_for_customers
from products.api.serializers import (
    PlanNameSerializer,
    PlanSerializer,
    ProductNameSerializer,
    ProductSerializer,
    ReleaseSerializer,
)
from products.models import Plan, Release


def sees_inside(serializer: serializers.BaseSerializer[Any]) -> bool:
    """True when the caller is staff who may read what went wrong, word for word."""
    user = serializer.context["request"].user
    return is_staff_with(user, "orders.view_order")


CATALOGUE: Any = {
    "scope": "products",
    "permission": "products.view_product",
    "select": ("release__product", "plan__product"),
}


class PartSerializer(RowSerializer):
    """One part of an order, as last reported."""

    message = serializers.SerializerMethodField()

    class Meta:
        model = OrderPart
        fields = ("part", "state", "version", "message", "updated_at")

    def get_message(self, part: OrderPart) -> str:
        """The room's own words to staff; to customers what is for them."""
        return part.message if sees_inside(self) else part.customer_message or str(PartState(part.state).label)


class OrderSerializer(ResourceSerializer):
    """A product implemented for a customer: what is wanted, how far it is, and why."""

    expansions = {
        "customer": CUSTOMER,
        "product": Expansion(path="release.product", serializer=ProductSerializer, **CATALOGUE),
        "release": Expansion(path="release", serializer=ReleaseSerializer, **CATALOGUE),
        "plan": Expansion(path="plan", serializer=PlanSerializer, **CATALOGUE),
    }

    customer = CustomerNameSerializer()
    product = ProductNameSerializer(source="release.product")
    release = serializers.CharField(source="release.version")
    plan = PlanNameSerializer()
    sandbox = serializers.BooleanField(source="is_sandbox")
    changing = serializers.BooleanField(source="is_changing", help_text="A change is in progress: see `changes/`.")
    outdated = serializers.BooleanField(source="is_outdated", help_text="New orders get another release.")
    provider = serializers.CharField(source="provider_slug")
    inputs = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    parts = PartSerializer(many=True)

    class Meta:
        model = Order
        fields = (
            "reference",
            "name",
            "customer",
            "product",
            "release",
            "plan",
            "inputs",
            "sandbox",
            "provider",
            "wanted",
            "wanted_version",
            "state",
            "reason",
            "needs_attention",
            "changing",
            "outdated",
            "parts",
            "created_at",
            "updated_at",
            "placed_at",
            "approved_at",
            "activated_at",
            "removed_at",
        )

    @extend_schema_field(serializers.DictField())
    def get_inputs(self, order: Order) -> dict[str, Any]:
        """What was chosen, by key; what only staff set is shown to staff only."""
        if sees_inside(self):
            return dict(order.inputs)
        # A list reads this part of each manifest, and no more of it.
        specs = order.release_inputs if hasattr(order, "release_inputs") else order.release.inputs
        hidden = {spec["key"] for spec in specs or () if spec.get("staff")}
        return {key: value for key, value in order.inputs.items() if key not in hidden}

    def get_reason(self, order: Order) -> str:
        """Why the order stands where it stands."""
        if sees_inside(self):
            return order.reason
        if order.needs_attention and order.state != State.DEGRADED:
            return _("Something needs our attention; our staff have been notified.")
        return reason_for_customers(order, order.parts.all())


class EventSerializer(RowSerializer):
    """Something that happened to an order."""

    by = serializers.SerializerMethodField()

    class Meta:
        model = OrderEvent
        fields = ("at", "by", "part", "state", "message", "is_public")

    def get_by(self, event: OrderEvent) -> str:
        """Who did it: empty for the platform itself; to a customer, staff are the company."""
        if event.actor is None:
            return ""
        if event.actor.is_staff and not sees_inside(self):
            return str(settings.SITE_NAME)
        return str(event.actor)


class OwnCustomerField(serializers.SlugRelatedField[Customer]):
    """A customer by number, out of those the caller sees."""

    def get_queryset(self) -> Any:
        """Only what is visible: another's number is no number."""
        caller: User = self.context["request"].user
        return within_limit(self.context["request"], Customer.objects.visible_to(caller), "pk")


class OrderRequestSerializer(RequestSerializer):
    """What is ordered, for whom."""

    customer = OwnCustomerField(
        slug_field="number", queryset=Customer.objects.all(), help_text="The customer's number, such as C7K3MQ."
    )
    product = serializers.CharField(max_length=60, help_text="The product's slug.")
    plan = serializers.CharField(max_length=60, help_text="The plan's slug.")
    release = serializers.CharField(
        max_length=80, required=False, help_text="A version of the product; the newest when left out."
    )
    name = serializers.CharField(max_length=120, help_text="Your name for it.")
    inputs = serializers.DictField(required=False, help_text="The inputs of the release, by key.")
    sandbox = serializers.BooleanField(default=False, help_text="Sandbox order: no real servers, no charges.")
    provider = serializers.SlugField(max_length=60, required=False, help_text="Staff only: where it is to run.")
    place = serializers.BooleanField(default=True, help_text="False leaves it a draft.")

    def validate_provider(self, slug: str) -> str:
        """Customers leave the choice to the platform."""
        if slug and not is_staff_with(self.context["request"].user, "orders.add_order"):
            raise serializers.ValidationError(_("Only staff choose the provider."))
        return slug

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The plan and the release are rows of the named product."""
        slug = attrs.pop("product")
        plan = Plan.objects.select_related("product").filter(product__slug=slug, slug=attrs["plan"]).first()
        if plan is None:
            raise serializers.ValidationError({"plan": [_("There is no such plan of that product.")]})
        attrs["plan"] = plan
        if version := attrs.pop("release", None):
            attrs["release"] = Release.objects.filter(product=plan.product, version=version).first()
            if attrs["release"] is None:
                raise serializers.ValidationError({"release": [_("There is no such release of that product.")]})
        return attrs


class DraftChangeSerializer(RequestSerializer):
    """What can be changed of a draft; what is left out stays as it is."""

    name = serializers.CharField(max_length=120, required=False)
    inputs = serializers.DictField(required=False, help_text="All inputs of the release, by key.")


class NothingSerializer(RequestSerializer):
    """An empty body."""


class WhySerializer(RequestSerializer):
    """Why it is asked: shown on the timeline."""

    why = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
