"""Customers as the API shows them; the staff's notes are not among it."""

from __future__ import annotations

from core.api.base import ResourceSerializer, RowSerializer
from core.api.selection import Expansion
from customers.models import Address, Contact, Customer


class AddressSerializer(RowSerializer):
    """Where a customer is, or wants its invoices."""

    class Meta:
        model = Address
        fields = ("kind", "street", "street2", "postcode", "city", "region", "country")


class ContactSerializer(RowSerializer):
    """A contact person, and which e-mails he or she gets."""

    class Meta:
        model = Contact
        fields = ("name", "email", "phone", "about_orders", "about_invoices")


class CustomerSerializer(ResourceSerializer):
    """A customer: places orders, and pays for them."""

    addresses = AddressSerializer(many=True)
    contacts = ContactSerializer(many=True)

    class Meta:
        model = Customer
        fields = (
            "number",
            "kind",
            "name",
            "email",
            "phone",
            "vat_id",
            "language",
            "currency",
            "state",
            "addresses",
            "contacts",
            "created_at",
            "updated_at",
        )


CUSTOMER = Expansion(
    path="customer",
    serializer=CustomerSerializer,
    scope="customers",
    permission="customers.view_customer",
    select=("customer",),
    prefetch=("customer__addresses", "customer__contacts"),
)


class CustomerNameSerializer(RowSerializer):
    """A customer where something of it is shown."""

    class Meta:
        model = Customer
        fields = ("number", "name")
