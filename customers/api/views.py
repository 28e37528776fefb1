"""Customers: read only; they are kept in the admin and come from the register."""

from __future__ import annotations

import django_filters
from rest_framework.permissions import IsAuthenticated

from core.api.base import RowFilter, RowsView
from customers.api.serializers import CustomerSerializer
from customers.models import Customer


class CustomerFilter(RowFilter):
    """By state."""

    state = django_filters.ChoiceFilter(choices=Customer.State.choices)

    class Meta:
        model = Customer
        fields = ("state",)


class CustomerView(RowsView):
    """The customers you belong to; staff see all."""

    queryset = Customer.objects.prefetch_related("addresses", "contacts")
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilter
    permission_classes = (IsAuthenticated,)
    lookup_field = "number"
