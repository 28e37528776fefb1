"""`?search=` finds the rows that hold every word of it, in the columns that the view names."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from core.api.search import holds

LONGEST_SEARCH = 200
WORDS_AT_MOST = 8


class WordSearch(SearchFilter):
    """DRF's search, with bounds, and refused where a list cannot be searched."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """The rows that hold every word; raises ValidationError where this is not possible."""
        text = request.query_params.get("search")
        if text is None:
            return queryset
        if not getattr(view, "search_fields", ()):
            raise ValidationError({"search": [_("This list cannot be searched.")]})
        if len(text) > LONGEST_SEARCH or len(text.split()) > WORDS_AT_MOST:
            raise ValidationError({"search": [_("Use at most 8 words and 200 characters.")]})
        for word in self.get_search_terms(request):
            queryset = queryset.filter(holds(queryset.model, view.search_fields, word))
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameter, where a list can be searched."""
        if not getattr(view, "search_fields", ()):
            return []
        text = "Rows that hold every word, in: " + ", ".join(name.replace("__", ".") for name in view.search_fields)
        schema = {"type": "string", "maxLength": LONGEST_SEARCH}
        return [{"name": "search", "in": "query", "required": False, "description": text, "schema": schema}]
