"""Conditions for a text in any of several columns, in a form that indexes can serve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, Q
from django.db.models.constants import LOOKUP_SEP

FEW = 500


def holds(model: type[Model], columns: Iterable[str], text: str) -> Q:
    """Rows of `model` that hold `text` in a column, also of a row that they point to (`customer__name`).

    No index serves a condition on two tables at once. So the rows pointed to are found first, in a query of their own
    for each relation; where they are few, their keys are an ordinary condition on `model` alone.
    """
    condition, related = Q(), dict[str, Q]()
    for column in columns:
        relation, _separator, rest = column.partition(LOOKUP_SEP)
        if rest:
            related[relation] = related.get(relation, Q()) | Q(**{f"{rest}__icontains": text})
        else:
            condition |= Q(**{f"{column}__icontains": text})
    for relation, inner in related.items():
        condition |= _points_to(model, relation, inner)
    return condition


def _points_to(model: type[Model], relation: str, inner: Q) -> Q:
    target: Any = model._meta.get_field(relation).related_model
    keys = target._base_manager.filter(inner).order_by().values_list("pk", flat=True)
    few = list(keys[: FEW + 1])
    return Q(**{f"{relation}__in": few if len(few) <= FEW else keys})
