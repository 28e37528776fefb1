"""Customers as the API shows them; the staff's notes are not among it."""

from __future__ import annotations

from core.api.base import ResourceSerializer, RowSerializer
from customers.models import Address, Contact, Customer


class AddressSerializer(RowSerializer):
    """Where a customer is, or wants its invoices."""

    class Meta:
        model = Address
        fields = ("kind", "street", "street2", "postcode", "city", "region", "country")


class ContactSerializer(RowSerializer):
    """Someone who is told things."""

    class Meta:
        model = Contact
        fields = ("name", "email", "phone", "about_orders", "about_invoices")


class CustomerSerializer(ResourceSerializer):
    """Who pays."""

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


class CustomerNameSerializer(RowSerializer):
    """A customer where something of it is shown."""

    class Meta:
        model = Customer
        fields = ("number", "name")
