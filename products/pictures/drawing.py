"""A release's composition as an SVG: entries on top, services below what needs them, volumes at the bottom. Pure.

Lines and texts have the colour of the text around the drawing, so that it can be read on light and dark pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from products.pictures.layout import Box, Layout, Link, Placed, Point, arrange
from products.pictures.outline import Outline, is_awaited

WIDTH, LINE, PADDING = 196, 17, 11
LONGEST = 28
MOST_LINES = 5
MOST_BOXES = 100
ENTRY, VOLUME = "#3b82f6", "#0d9488"
"""Both are told apart from white and from black."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBox:
    """A box with its texts."""

    key: str
    kind: str
    """entry, running, job, never or volume."""
    title: str
    lines: tuple[str, ...] = ()

    @property
    def box(self) -> Box:
        """Its size."""
        extra = PADDING if self.kind == "volume" else 0
        return Box(key=self.key, width=WIDTH, height=2 * PADDING + extra + LINE * (1 + len(self.lines)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is drawn: boxes, and the lines between them."""

    nodes: tuple[DrawnBox, ...]
    links: Mapping[Link, str]
    """The kind of each line: opens, needs, awaits or mounts."""


def draw_composition(
    outline: Outline, endpoints: Sequence[Mapping[str, Any]], *, title: str, key: str = "composition"
) -> SafeString:
    """The drawing, for use within a page; empty without services, and with more boxes than anybody could read.

    `key` makes its ids unique in the page.
    """
    scene = scene_of(outline, endpoints) if outline.get("services") else None
    if scene is None or len(scene.nodes) > MOST_BOXES:
        return SafeString("")
    volumes = [node.key for node in scene.nodes if node.kind == "volume"]
    layout = arrange([node.box for node in scene.nodes], scene.links, below=volumes)
    return format_html(
        '<svg class="composition-{size}" xmlns="http://www.w3.org/2000/svg" role="img"'
        ' aria-labelledby="{key}-title {key}-desc" width="{width}" height="{height}"'
        ' viewBox="0 0 {width} {height}" font-size="12" fill="none">'
        '<title id="{key}-title">{title}</title><desc id="{key}-desc">{text}</desc>'
        '<defs><marker id="{key}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto">'
        '<path d="M1 1l6 3-6 3z" fill="currentColor" fill-opacity=".7"/></marker></defs>{lines}{boxes}</svg>',
        key=key,
        title=title,
        size="small" if layout.width <= 2.5 * WIDTH else "large",
        text=" ".join(sentences(outline, endpoints)),
        width=round(layout.width),
        height=round(layout.height),
        lines=format_html_join("", "{}", ((_line(layout, link, kind, key),) for link, kind in scene.links.items())),
        boxes=format_html_join("", "{}", ((_box(layout.boxes[node.key], node),) for node in scene.nodes)),
    )


# --- What is drawn ------------------------------------------------------------------------------------------------
def scene_of(outline: Outline, endpoints: Sequence[Mapping[str, Any]]) -> Scene:
    """Entries, services and volumes, and how they hang together."""
    links: dict[Link, str] = {}
    entries = list(_entries(endpoints))
    for node, service in entries:
        links[node.key, f"service {service}"] = "opens"
    volumes: dict[str, DrawnBox] = {}
    services = []
    for service in outline["services"]:
        own = f"service {service['name']}"
        services.append(DrawnBox(key=own, kind=service["kind"], title=service["name"], lines=_facts(service)))
        for need in service["needs"]:
            links[own, f"service {need['name']}"] = "awaits" if is_awaited(need["condition"]) else "needs"
        for volume in service["volumes"]:
            name = f"volume {volume['name']}"
            volumes.setdefault(name, DrawnBox(key=name, kind="volume", title=volume["name"], lines=(_("volume"),)))
            links[own, name] = "mounts"
    return Scene(nodes=(*(node for node, _service in entries), *services, *volumes.values()), links=links)


def _entries(endpoints: Sequence[Mapping[str, Any]]) -> Iterator[tuple[DrawnBox, str]]:
    """One box for each published port: what answers there."""
    by_port: dict[tuple[str, int], list[str]] = {}
    for endpoint in endpoints:
        by_port.setdefault((endpoint["service"], endpoint["port"]), []).append(str(endpoint["application"]))
    for (service, port), names in by_port.items():
        shown = names if len(names) <= MOST_LINES else names[: MOST_LINES - 1]
        more = len(names) - len(shown)
        lines = [*shown, *([_("and %(count)d more") % {"count": more}] if more else [])]
        title = _("Port %(port)s") % {"port": port}
        yield DrawnBox(key=f"entry {service} {port}", kind="entry", title=title, lines=tuple(lines)), service


def _facts(service: Mapping[str, Any]) -> tuple[str, ...]:
    lines = []
    if service["build"]:
        lines.append(_("built from %(recipe)s") % {"recipe": service["build"]})
    elif service["image"]:
        lines.append(service["image"].partition("@")[0].rpartition("/")[2] or service["image"])
    if service["ports"]:
        ports = ", ".join(service["ports"])
        lines.append(ngettext("port %(ports)s", "ports %(ports)s", len(service["ports"])) % {"ports": ports})
    if service["kind"] == "job":
        lines.append(_("ends when its work is done"))
    elif service["kind"] == "never":
        lines.append(_("not started"))
    return tuple(lines)


def sentences(outline: Outline, endpoints: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The drawing in words, for those who do not see it."""
    count = len(outline["services"])
    yield ngettext("%(count)d service.", "%(count)d services.", count) % {"count": count}
    for node, service in _entries(endpoints):
        names = ", ".join(node.lines)
        yield _("%(port)s leads to %(service)s: %(names)s.") % {"port": node.title, "service": service, "names": names}
    for service in outline["services"]:
        facts = ", ".join(_facts(service))
        yield f"{service['name']}: {facts}." if facts else f"{service['name']}."
        if service["needs"]:
            names = ", ".join(need["name"] for need in service["needs"])
            yield _("%(service)s needs %(names)s.") % {"service": service["name"], "names": names}
        if service["volumes"]:
            names = ", ".join(volume["name"] for volume in service["volumes"])
            yield _("%(service)s keeps data in %(names)s.") % {"service": service["name"], "names": names}


# --- Shapes -------------------------------------------------------------------------------------------------------
def _line(layout: Layout, link: Link, kind: str, key: str) -> SafeString:
    points = layout.lines.get(link)
    if points is None:  # it would close a circle
        return SafeString("")
    looks = {
        "opens": format_html('stroke="{}" marker-end="url(#{}-arrow)"', ENTRY, key),
        "needs": format_html('stroke="currentColor" stroke-opacity=".55" marker-end="url(#{}-arrow)"', key),
        "awaits": format_html(
            'stroke="currentColor" stroke-opacity=".55" stroke-dasharray="2 4" marker-end="url(#{}-arrow)"', key
        ),
        "mounts": format_html('stroke="{}" stroke-dasharray="5 4"', VOLUME),
    }
    return format_html('<path d="{}" stroke-width="1.4" {}/>', _curve(points), looks[kind])


def _curve(points: Sequence[Point]) -> str:
    """Down through the points; upright where it leaves, passes and arrives."""
    x, y = points[0]
    path = f"M{x:.0f} {y:.0f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        if x == to_x:
            path += f"V{to_y:.0f}"
            continue
        middle = (y + to_y) / 2
        path += f"C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"
    return path


def _box(place: Placed, node: DrawnBox) -> SafeString:
    shape = _cylinder(place) if node.kind == "volume" else _rectangle(place, node.kind)
    top = place.y + PADDING + LINE * 0.75 + (PADDING if node.kind == "volume" else 0)
    texts = [(node.title, top, 'font-weight="600"')]
    texts += [(text, top + LINE * number, 'fill-opacity=".8"') for number, text in enumerate(node.lines, 1)]
    return format_html(
        '<g class="composition-{}"><title>{}</title>{}{}</g>',
        node.kind,
        ": ".join([node.title, ", ".join(node.lines)] if node.lines else [node.title]),
        shape,
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle" fill="currentColor" {}>{}</text>',
            (
                (round(place.x + place.width / 2), round(y), SafeString(look), _shortened(text))
                for text, y, look in texts
            ),
        ),
    )


def _rectangle(place: Placed, kind: str) -> SafeString:
    colour = ENTRY if kind == "entry" else "currentColor"
    dashes = {"job": "6 3", "never": "2 4"}.get(kind, "")
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="{}" fill="{}" fill-opacity="{}" stroke="{}"'
        ' stroke-opacity="{}"{}/>',
        *(round(place.x), round(place.y), round(place.width), round(place.height)),
        16 if kind == "entry" else 8,
        *(colour, ".1" if kind == "entry" else ".04", colour, "1" if kind == "entry" else ".6"),
        format_html(' stroke-dasharray="{}"', dashes) if dashes else "",
    )


def _cylinder(place: Placed) -> SafeString:
    x, y, right, bottom = (round(place.x), round(place.y), round(place.x + place.width), round(place.y + place.height))
    radius, curve = round(place.width / 2), PADDING - 3
    top = y + curve
    return format_html(
        '<path d="M{x} {top}A{radius} {curve} 0 0 1 {right} {top}V{low}A{radius} {curve} 0 0 1 {x} {low}Z'
        'M{x} {top}A{radius} {curve} 0 0 0 {right} {top}" fill="{colour}" fill-opacity=".1" stroke="{colour}"/>',
        x=x,
        top=top,
        right=right,
        radius=radius,
        curve=curve,
        low=bottom - curve,
        colour=VOLUME,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
