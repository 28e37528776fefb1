"""The map preview of an order: which layers there are, and a picture of some of them. Short answers are cached."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

from django.core.cache import cache
from django.shortcuts import get_object_or_404

from core.errors import OutsideError, TransientError
from infrastructure.models import Endpoint
from live.portal.connect import map_client
from live.portal.connect.capabilities import (
    Box,
    MapLayer,
    NotCapabilities,
    capabilities_url,
    map_url,
    read_layers,
)
from live.portal.connect.service_kinds import ServiceKind, kinds_by_name
from orders.models import Order

LAYERS_KEPT = 600  # seconds
PICTURE_KEPT = 120
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawn map."""

    content: bytes
    media_type: str


def map_endpoint(order: Order) -> Endpoint | None:
    """The order's first Web Map Service, if it has any."""
    kinds = kinds_by_name(order.release.endpoints)
    endpoints = [row for row in order.endpoints.order_by("pk") if kinds.get(row.name) is ServiceKind.WMS]
    return endpoints[0] if endpoints else None


def endpoint_of(order: Order, name: str) -> tuple[Endpoint, ServiceKind]:
    """The order's endpoint of that name with its kind; else there is no such page."""
    endpoint: Endpoint = get_object_or_404(order.endpoints, name=name)
    return endpoint, kinds_by_name(order.release.endpoints).get(name, ServiceKind.WEB)


def layers_of(endpoint: Endpoint) -> list[MapLayer]:
    """The layers of the service; raises an OutsideError while it does not say."""
    key = f"map-layers:{_digest(endpoint.url)}"
    if (kept := cache.get(key)) is None:
        response = map_client.get_map_client().get(capabilities_url(endpoint.url))
        try:
            kept = [asdict(layer) for layer in read_layers(response.content)]
        except NotCapabilities as error:
            raise TransientError("The map service did not describe its layers") from error
        cache.set(key, kept, LAYERS_KEPT)
    return [MapLayer(**{**layer, "box": tuple(layer["box"])}) for layer in kept]


def draw_map(endpoint: Endpoint, *, layer: str, box: Box, width: int, height: int) -> Picture:
    """A picture of one layer; raises an OutsideError when the service does not draw it."""
    url = map_url(endpoint.url, layer=layer, box=box, width=width, height=height)
    key = f"map-picture:{_digest(url)}"
    if (kept := cache.get(key)) is not None:
        return Picture(**kept)
    response = map_client.get_map_client().get(url)
    if response.media_type not in PICTURES:
        raise TransientError("The map service did not send a picture")
    picture = Picture(content=response.content, media_type=response.media_type)
    cache.set(key, asdict(picture), PICTURE_KEPT)
    return picture


def is_layer_of(endpoint: Endpoint, name: str) -> bool:
    """True of a layer that the service describes; False as well while it describes none."""
    try:
        return any(layer.name == name for layer in layers_of(endpoint))
    except OutsideError:
        return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
