"""A status summary as JSON, as RSS and as a badge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import feedgenerator
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from monitoring.charts.daily import Day
from monitoring.choices import ServiceStatus
from monitoring.models import Maintenance
from monitoring.status_pages.display import IncidentSummary, OrderSummary, StatusSummary

COLOURS = {
    ServiceStatus.OPERATIONAL: "#14713d",
    ServiceStatus.RECOVERING: "#1d5fa8",
    ServiceStatus.DEGRADED: "#92510a",
    ServiceStatus.PARTIAL: "#b4530b",
    ServiceStatus.MAJOR: "#b3261e",
    ServiceStatus.MAINTENANCE: "#1d5fa8",
    ServiceStatus.UNKNOWN: "#55635f",
}
CHARACTER, PADDING = 7, 8


def as_json(summary: StatusSummary, *, url: str) -> dict[str, Any]:
    """Everything on the page; times in UTC."""
    return {
        "page": {"name": summary.customer.name, "url": url, "updated_at": summary.at},
        "status": {"indicator": summary.status.value, "description": summary.status.label},
        "services": [_service(item) for item in summary.orders],
        "incidents": [_incident(item) for item in summary.incidents],
        "maintenances": [_maintenance(item) for item in summary.maintenances],
    }


def _service(summary: OrderSummary) -> dict[str, Any]:
    return {
        "reference": summary.order.reference,
        "name": summary.order.name,
        "sandbox": summary.order.is_sandbox,
        "indicator": summary.status.value,
        "description": summary.status.label,
        "availability": _share(summary.percentage),
        "days": [_day(day) for day in summary.days if day.figures.total],
    }


def _day(day: Day) -> dict[str, Any]:
    figures = day.figures
    return {
        "day": day.day,
        "up": figures.up,
        "down": figures.down,
        "maintenance": figures.maintenance,
        "unknown": figures.unknown,
        "availability": _share(figures.percentage),
        "seconds_mean": round(day.seconds_mean, 3) if day.answers else None,
    }


def _share(percentage: object) -> str | None:
    return None if percentage is None else str(percentage)


def _incident(summary: IncidentSummary) -> dict[str, Any]:
    incident = summary.incident
    return {
        "orders": [order.reference for order in summary.orders],
        "title": incident.title,
        "impact": incident.impact,
        "state": summary.state,
        "started_at": incident.started_at,
        "resolved_at": summary.resolved_at,
        "updates": [
            {"at": update.at, "state": update.state, "impact": update.impact, "message": update.message}
            for update in summary.updates
        ],
    }


def _maintenance(window: Maintenance) -> dict[str, Any]:
    return {
        "title": window.title,
        "description": window.description,
        "starts_at": window.starts_at,
        "ends_at": window.ends_at,
        "orders": [order.reference for order in own_orders(window)],
    }


def own_orders(window: Maintenance) -> list[Any]:
    """The affected orders of this customer only."""
    return list(getattr(window, "own_orders", ()))


def as_feed(summary: StatusSummary, *, url: str) -> str:
    """RSS 2.0: incidents with their updates, and maintenance."""
    feed = feedgenerator.Rss201rev2Feed(
        title=f"{summary.customer.name} · {settings.SITE_NAME}",
        link=url,
        description=_("Incidents and maintenance"),
        feed_url=f"{url}feed.xml",
    )
    for item in summary.incidents:
        incident = item.incident
        feed.add_item(
            title=f"{item.names}: {incident.title} ({item.state.label})",
            link=f"{url}#incident-{incident.pk}",
            unique_id=f"incident-{incident.pk}",
            unique_id_is_permalink=False,
            description="\n".join(f"{update.get_state_display()} – {update.message}" for update in item.updates),
            pubdate=incident.started_at,
            updateddate=item.updates[0].at if item.updates else incident.started_at,
        )
    for window in summary.maintenances:
        when = f"{_moment(window.starts_at)} – {_moment(window.ends_at)}"
        feed.add_item(
            title=f"{_('Maintenance')}: {window.title}",
            link=f"{url}#maintenance-{window.pk}",
            unique_id=f"maintenance-{window.pk}",
            unique_id_is_permalink=False,
            description=f"{when}\n{window.description}".strip(),
            pubdate=window.created_at,
        )
    return str(feed.writeString("utf-8"))


def _moment(moment: Any) -> str:
    return date_format(localtime(moment), "DATETIME_FORMAT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """Two texts, a colour and their widths."""

    label: str
    text: str
    colour: str

    @property
    def label_width(self) -> int:
        """The left half."""
        return len(self.label) * CHARACTER + 2 * PADDING

    @property
    def text_width(self) -> int:
        """The right half."""
        return len(self.text) * CHARACTER + 2 * PADDING

    @property
    def width(self) -> int:
        """Both halves."""
        return self.label_width + self.text_width

    @property
    def text_x(self) -> int:
        """The left edge of the text in the right half."""
        return self.label_width + PADDING


def badge(summary: StatusSummary) -> Badge:
    """The overall status as a badge."""
    return Badge(label=_("status"), text=str(summary.status.label).lower(), colour=COLOURS[summary.status])
