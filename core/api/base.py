"""The base classes of every room's API; each shows only what the caller may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from operator import attrgetter
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.api.etags import check_unchanged, etag_of, has_copy
from core.api.scopes import check_scope, within_limit
from core.api.selection import EXPANDED, Expansion, names_asked, with_related
from core.money import round_money

LIST_PARAMETERS = frozenset({"cursor", "page_size", "ordering", "search", "fields", "expand"})


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


class ResourceSerializer(RowSerializer):
    """A row that has an address of its own: callers may leave out `fields`, and `expand` related rows."""

    expansions: ClassVar[Mapping[str, Expansion]] = {}

    def __init__(self, *args: Any, only: Collection[str] = (), expanded: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only, self.expanded = frozenset(only), tuple(expanded)

    def get_fields(self) -> dict[str, Any]:
        """The fields that were asked for; all of them when none were named."""
        fields: dict[str, Any] = super().get_fields()
        return {name: field for name, field in fields.items() if not self.only or name in self.only}

    def to_representation(self, instance: Any) -> Any:
        """The row, with the related rows that were asked for."""
        shown = super().to_representation(instance)
        if self.expanded:
            shown[EXPANDED] = {name: self.expansions[name].show(instance, self.context) for name in self.expanded}
        return shown


class RequestSerializer(serializers.Serializer[Any]):
    """A request's body; unknown fields are refused, because they were meant to do something."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(data.keys() - self.fields.keys())):
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.BOOL)
class TrueFalseFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`; any other value is refused (django-filter's own ignores it)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = (("true", "true"), ("false", "false"))
        super().__init__(*args, choices=choices, coerce=lambda value: value == "true", **kwargs)


class RowFilter(django_filters.FilterSet):
    """Filters of a list; an unknown or empty filter is refused, because the answer would hold too much."""

    def is_valid(self) -> bool:
        for name in sorted(set(self.data or ()) - set(self.filters) - LIST_PARAMETERS):
            error = ValidationError(_("There is no filter %(name)s."), params={"name": name})
            self.form.add_error(None, error)  # the name is the caller's: formatted in, a `%` of it would be a mistake
        given: Any = self.data or {}
        for name in sorted(set(given) & set(self.filters)):
            if given[name] == "":  # django-filter takes it for no filter at all
                self.form.add_error(name, _("Name a value, or leave the filter out."))
        return bool(super().is_valid())


class ChangedFilter(RowFilter):
    """For copies that are kept up to date: only what has changed since a moment."""

    updated_since = django_filters.IsoDateTimeFilter(
        "updated_at", lookup_expr="gte", help_text="ISO 8601, such as 2026-06-01T00:00:00Z"
    )


class RowsView(mixins.RetrieveModelMixin, mixins.ListModelMixin, GenericViewSet[Any]):
    """A list and its rows, read-only, narrowed to what the caller and the caller's token may see."""

    scope: ClassVar[str]  # the resource as scopes of tokens name it
    customer_path: ClassVar[str | None]  # leads to the customer that a row belongs to; None where it belongs to nobody
    serializer_class: Any = None
    search_fields: tuple[str, ...] = ()
    orderings: Mapping[str, str] = {"created_at": "pk"}  # what lists may be sorted by: columns that are never null
    ordering = "-pk"

    def check_permissions(self, request: Request) -> None:
        """The caller may do this, and so may the caller's token."""
        super().check_permissions(request)
        check_scope(request, self.scope)

    def get_queryset(self) -> models.QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        visible = within_limit(self.request, self.visible(rows), self.customer_path)
        expansions = [self.serializer_class.expansions[name] for name in self._expanded()]
        return with_related(visible, expansions)  # type: ignore[no-any-return]

    def visible(self, rows: Any) -> models.QuerySet[Any]:
        """The rows this caller may see; all others are treated as missing."""
        visible: models.QuerySet[Any] = rows.visible_to(self.request.user)
        return visible

    def get_object(self) -> Any:
        """The row in the address; raises PreconditionFailed when a change is meant for another version of it."""
        row = super().get_object()
        if self.request.method not in SAFE_METHODS and "If-Match" in self.request.headers:
            self.lock(row)
            row = self.get_queryset().get(pk=row.pk)
            check_unchanged(self.request, etag_of(self.get_serializer(row).data))
        return row

    def lock(self, row: Any) -> None:
        """Nobody else changes `row` until this request ends."""
        list(type(row)._base_manager.select_for_update().filter(pk=row.pk).values("pk"))

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """The serializer, narrowed to the fields and expansions that were asked for."""
        if self._is_selective():
            names = [*self.serializer_class(context=self.get_serializer_context()).fields]
            kwargs |= {"only": names_asked(self.request, "fields", names), "expanded": self._expanded()}
        return super().get_serializer(*args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One row; 304 when the caller has this version already."""
        response = super().retrieve(request, *args, **kwargs)
        if {"fields", "expand"} & request.query_params.keys():
            return response
        response["ETag"] = etag_of(response.data)
        if has_copy(request, response["ETag"]):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": response["ETag"]})
        return response

    def shown(self, row: Any, *, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """A response to a change: the row as it is now, with its ETag."""
        fresh = self.get_queryset().get(pk=row.pk)
        body = self.get_serializer(fresh).data
        return Response(body, status=status, headers={**(headers or {}), "ETag": etag_of(body)})

    def _is_selective(self) -> bool:
        return self.action in ("list", "retrieve") and issubclass(self.serializer_class, ResourceSerializer)

    def _expanded(self) -> tuple[str, ...]:
        if not self._is_selective():
            return ()
        names = names_asked(self.request, "expand", self.serializer_class.expansions)
        for name in names:
            self.serializer_class.expansions[name].check(self.request)
        return names
