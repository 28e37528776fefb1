"""A board as programs, feed readers and other people's pages want it."""

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
from monitoring.models import Incident, Maintenance
from monitoring.status_pages.summary import OrderSummary, StatusSummary

COLOURS = {
    ServiceStatus.OPERATIONAL: "#14713d",
    ServiceStatus.DEGRADED: "#92510a",
    ServiceStatus.PARTIAL: "#b4530b",
    ServiceStatus.MAJOR: "#b3261e",
    ServiceStatus.MAINTENANCE: "#1d5fa8",
    ServiceStatus.UNKNOWN: "#55635f",
}
CHARACTER, PADDING = 7, 8


def as_json(board: StatusSummary, *, url: str) -> dict[str, Any]:
    """Everything the page tells, without its words."""
    return {
        "page": {"name": board.customer.name, "url": url, "updated_at": board.at},
        "status": {"indicator": board.service.value, "description": board.service.label},
        "services": [_service(one) for one in board.orders],
        "incidents": [_incident(one) for one in board.incidents],
        "maintenances": [_maintenance(one) for one in board.maintenances],
    }


def _service(one: OrderSummary) -> dict[str, Any]:
    return {
        "reference": one.order.reference,
        "name": one.order.name,
        "sandbox": one.order.is_sandbox,
        "indicator": one.service.value,
        "description": one.service.label,
        "availability": _share(one.percentage),
        "days": [_day(day) for day in one.days if day.figures.total],
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


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "order": one.order.reference,
        "title": one.title,
        "impact": one.impact,
        "state": one.state,
        "started_at": one.started_at,
        "resolved_at": one.resolved_at,
        "updates": [
            {"at": said.at, "state": said.state, "impact": said.impact, "message": said.message}
            for said in one.updates.all()
        ],
    }


def _maintenance(one: Maintenance) -> dict[str, Any]:
    return {
        "title": one.title,
        "description": one.description,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "orders": [order.reference for order in own_orders(one)],
    }


def own_orders(one: Maintenance) -> list[Any]:
    """The orders of the board's customer that the window concerns; never anybody else's."""
    return list(getattr(one, "own_orders", ()))


def as_feed(board: StatusSummary, *, url: str) -> str:
    """RSS 2.0: incidents with all that was said of them, and maintenance to come."""
    feed = feedgenerator.Rss201rev2Feed(
        title=f"{board.customer.name} · {settings.SITE_NAME}",
        link=url,
        description=_("Incidents and maintenance"),
        feed_url=f"{url}feed.xml",
    )
    for incident in board.incidents:
        said = list(incident.updates.all())
        feed.add_item(
            title=f"{incident.order.name}: {incident.title} ({incident.get_state_display()})",
            link=f"{url}#incident-{incident.pk}",
            unique_id=f"incident-{incident.pk}",
            unique_id_is_permalink=False,
            description="\n".join(f"{one.get_state_display()} – {one.message}" for one in said),
            pubdate=incident.started_at,
            updateddate=said[0].at if said else incident.started_at,
        )
    for window in board.maintenances:
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
    """Two words and a colour, with the room they take."""

    label: str
    text: str
    colour: str

    @property
    def label_width(self) -> int:
        """Of the left half."""
        return len(self.label) * CHARACTER + 2 * PADDING

    @property
    def text_width(self) -> int:
        """Of the right half."""
        return len(self.text) * CHARACTER + 2 * PADDING

    @property
    def width(self) -> int:
        """Of the whole."""
        return self.label_width + self.text_width

    @property
    def text_x(self) -> int:
        """Where the right half's text begins."""
        return self.label_width + PADDING


def badge(board: StatusSummary) -> Badge:
    """The board in one word."""
    return Badge(label=_("status"), text=str(board.service.label).lower(), colour=COLOURS[board.service])
