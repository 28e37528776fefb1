"""The choice of a plan, usable with hundreds of them."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext

from products.models import Plan


class PlansByProduct(forms.models.ModelChoiceIterator):  # type: ignore[type-arg]
    """The plans below the product that they belong to: found by its name among hundreds."""

    def __iter__(self) -> Any:
        """The empty choice, then (product, its plans)."""
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        for product, plans in groupby(self.queryset, key=attrgetter("product")):
            yield product.name, [self.choice(plan) for plan in plans]


class PlanField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A plan by what one has to know to choose it: price and size, below its product."""

    iterator = PlansByProduct

    def label_from_instance(self, plan: Plan) -> str:
        """Such as “SDI Lite · Small: €49.00 / month, 1 CPU, 1 GB memory, 10 GB disk”."""
        size = gettext("%(cpus)s CPU, %(ram)s GB memory, %(disk)s GB disk") % {
            "cpus": plan.cpus,
            "ram": plan.ram_gb,
            "disk": plan.disk_gb,
        }
        price = plan.money.format(get_language() or "en")
        return f"{plan}: {price} / {plan.get_period_display()}, {size}, {plan.get_placement_display()}"
