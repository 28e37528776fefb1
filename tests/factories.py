"""The smallest valid rows, and a small cast with names and roles."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import factory

from customers.models import Address, Customer, Membership, User
from orders.models import Order
from orders.services import create_order
from products.models import Plan, Product, Release

MANIFEST: dict[str, Any] = {
    "name": "Map server",
    "summary": "Maps for everyone",
    "description": "A map server.",
    "icon": "map",
    "inputs": [{"key": "title", "label": "Title", "type": "string", "default": "Our maps", "max_length": 60}],
    "secrets": [{"key": "admin_password", "label": "Administrator's password", "length": 24, "visible": True}],
    "endpoints": [
        {
            "name": "wms",
            "application": "Web Map Service",
            "service": "gateway",
            "port": 80,
            "path": "/wms",
            "check": {
                "path": "/wms?request=GetCapabilities",
                "status": 200,
                "contains": "Capabilities",
                "max_seconds": 5,
            },
        }
    ],
    "plans": [],
}
COMPOSE = "services:\n  gateway:\n    image: debian:bookworm-slim\n    expose: ['80']\n"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """Someone who can sign in."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")


class CustomerFactory(factory.django.DjangoModelFactory[Customer]):
    """A Dutch company with one address."""

    class Meta:
        model = Customer
        skip_postgeneration_save = True

    number = factory.Sequence(lambda n: f"C{n:05}")
    name = factory.Sequence(lambda n: f"Waterschap {n}")
    email = factory.LazyAttribute(lambda customer: f"gis@{customer.number.lower()}.example")
    address = factory.RelatedFactory("tests.factories.AddressFactory", factory_related_name="customer")


class AddressFactory(factory.django.DjangoModelFactory[Address]):
    """An address in Bennekom."""

    class Meta:
        model = Address

    customer = factory.SubFactory(CustomerFactory, address=None)
    street = "Veenderweg 13"
    postcode = "6721 WD"
    city = "Bennekom"
    country = "NL"


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    """A user at a customer."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    customer = factory.SubFactory(CustomerFactory)


class ProductFactory(factory.django.DjangoModelFactory[Product]):
    """A product on sale."""

    class Meta:
        model = Product

    slug = factory.Sequence(lambda n: f"maps-{n}")
    name = "Map server"


class ReleaseFactory(factory.django.DjangoModelFactory[Release]):
    """A release with one service and one endpoint."""

    class Meta:
        model = Release

    product = factory.SubFactory(ProductFactory)
    version = factory.Sequence(lambda n: f"v1.{n}")
    digest = factory.Sequence(lambda n: f"{n:064x}")
    manifest = MANIFEST
    compose = COMPOSE


class PlanFactory(factory.django.DjangoModelFactory[Plan]):
    """A monthly plan of 49 euros."""

    class Meta:
        model = Plan

    product = factory.SubFactory(ProductFactory)
    slug = "small"
    name = "Small"
    price = Decimal("49.00")
    auto_approve = False


def make_draft(**fields: Any) -> Order:
    """A draft order of a fresh customer, unless `fields` say otherwise."""
    release = fields.pop("release", None) or ReleaseFactory()
    plan = fields.pop("plan", None) or PlanFactory(product=release.product, **fields.pop("plan_fields", {}))
    customer = fields.pop("customer", None) or CustomerFactory()
    name = fields.pop("name", f"maps of {Order.objects.count()}")
    return create_order(customer=customer, plan=plan, release=release, name=name, **fields)
