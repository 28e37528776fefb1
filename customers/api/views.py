"""Customers: read only; they are kept in the admin and come from the register."""

from __future__ import annotations

import django_filters
from rest_framework.permissions import IsAuthenticated

from core.api.base import ChangedFilter, RowsView
from customers.api.serializers import CustomerSerializer
from customers.models import Customer


class CustomerFilter(ChangedFilter):
    """By state, and by the last change."""

    state = django_filters.ChoiceFilter(choices=Customer.State.choices)

    class Meta:
        model = Customer
        fields = ("state", "updated_since")


class CustomerView(RowsView):
    """The customers you belong to; staff see all."""

    queryset = Customer.objects.prefetch_related("addresses", "contacts")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    permission_classes = (IsAuthenticated,)
    lookup_field = "number"
    scope = "customers"
    customer_path = "pk"
    search_fields = ("number", "name", "email")
    orderings = {"created_at": "pk", "name": "name"}
