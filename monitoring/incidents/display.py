"""The texts of automatic incidents, in the language that is active."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.models.history import Interval
from orders.models import Order

TITLE_LENGTH = 200


def title_of(orders: Sequence[Order], down: Mapping[int, Sequence[Interval]], checks: Mapping[int, int]) -> str:
    """A title as a person would write it; that of several orders names none, since customers share it."""
    applications = sorted({row.application for rows in down.values() for row in rows})
    if len(orders) == 1:
        (order,) = orders
        if len(down[order.pk]) >= checks.get(order.pk, 0) > 1:
            return (_("%(order)s is down") % {"order": order.name})[:TITLE_LENGTH]
        names = get_text_list(applications, _("and"))
        return (ngettext("%(names)s is down", "%(names)s are down", len(applications)) % {"names": names})[
            :TITLE_LENGTH
        ]
    if len(applications) == 1:
        return (_("%(name)s is down on several services") % {"name": applications[0]})[:TITLE_LENGTH]
    return _("Outage of several services")


def first_message(down: Mapping[int, Sequence[Interval]]) -> str:
    """What monitoring found; the causes of several orders only where they are the same."""
    outages = [row for rows in down.values() for row in rows]
    if len(down) == 1:
        causes = "; ".join(f"{row.application}: {row.public_cause}" for row in outages)
    else:
        shared = {row.public_cause for row in outages}
        causes = shared.pop() if len(shared) == 1 else _("several services do not respond")
    return _("Detected by monitoring: %(causes)s. We are investigating.") % {"causes": causes.rstrip(".")}


def recovered_message() -> str:
    """After the last outage ended."""
    return _("All endpoints are up again. We keep monitoring before we resolve this incident.")


def down_message() -> str:
    """After a new outage during the calm period."""
    return _("Endpoints are down again. We are investigating.")
