"""The base classes of every room's API; each shows only what the caller may see."""

from __future__ import annotations

from datetime import UTC
from operator import attrgetter
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.viewsets import GenericViewSet

from core.money import round_money

PAGE_PARAMETERS = frozenset({"cursor", "page_size"})


class MomentField(serializers.DateTimeField):
    """A time in ISO 8601, always in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class MoneySerializer(serializers.Serializer[Any]):
    """An amount as text, so that no program rounds it, with its currency."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=None, help_text="Such as 49.00")
    currency = serializers.CharField(help_text="ISO 4217")


@extend_schema_field(MoneySerializer)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """The row's `column` with its currency, which is found at the path `currency`; unit prices are not rounded."""

    def __init__(self, column: str, *, currency: str = "currency", is_rounded: bool = True) -> None:
        super().__init__(source="*", read_only=True)
        self.column, self.currency, self.is_rounded = column, currency, is_rounded

    def to_representation(self, value: Any) -> dict[str, str]:
        """The amount as text."""
        amount, currency = getattr(value, self.column), attrgetter(self.currency)(value)
        return {"amount": f"{round_money(amount, currency) if self.is_rounded else amount:f}", "currency": currency}


class RowSerializer(serializers.ModelSerializer[Any]):
    """A row as the API shows it; fields are named one by one."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: MomentField,
    }


class RequestSerializer(serializers.Serializer[Any]):
    """A request's body; unknown fields are refused, because they were meant to do something."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(data.keys() - self.fields.keys())):
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


class TrueFalseFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`; any other value is refused (django-filter's own ignores it)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = (("true", "true"), ("false", "false"))
        super().__init__(*args, choices=choices, coerce=lambda value: value == "true", **kwargs)


class RowFilter(django_filters.FilterSet):
    """Filters of a list; an unknown filter is refused, because the answer would hold too much."""

    def is_valid(self) -> bool:
        for name in sorted(set(self.data or ()) - set(self.filters) - PAGE_PARAMETERS):
            error = ValidationError(_("There is no filter %(name)s."), params={"name": name})
            self.form.add_error(None, error)  # the name is the caller's: formatted in, a `%` of it would be a mistake
        return bool(super().is_valid())


class RowsView(mixins.RetrieveModelMixin, mixins.ListModelMixin, GenericViewSet[Any]):
    """A list and its rows, read-only, narrowed to what the caller may see."""

    ordering = "-pk"  # of pages; a cursor needs a column that is unique and never changes

    def get_queryset(self) -> models.QuerySet[Any]:
        rows = super().get_queryset()
        return rows.none() if getattr(self, "swagger_fake_view", False) else self.visible(rows)

    def visible(self, rows: Any) -> models.QuerySet[Any]:
        """The rows this caller may see; all others are treated as missing."""
        visible: models.QuerySet[Any] = rows.visible_to(self.request.user)
        return visible
