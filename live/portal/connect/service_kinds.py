"""What kind of service answers at an endpoint, and which programs can use it. Plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SERVICE_PARAMETER = "service"


class ServiceKind(StrEnum):
    """The protocols that GIS programs connect to; everything else is opened in a browser."""

    WMS = "wms"
    WMTS = "wmts"
    WFS = "wfs"
    WCS = "wcs"
    CSW = "csw"
    OGC_API = "ogc-api"
    WEB = "web"

    @property
    def has_qgis_file(self) -> bool:
        """True where QGIS can import a file with the connection."""
        return self in QGIS_KINDS


KINDS_BY_VALUE = {kind.value: kind for kind in ServiceKind}
QGIS_KINDS = (ServiceKind.WMS, ServiceKind.WMTS, ServiceKind.WFS, ServiceKind.WCS, ServiceKind.CSW, ServiceKind.OGC_API)


def kind_of(endpoint: Mapping[str, Any]) -> ServiceKind:
    """The kind of a manifest's endpoint: as it says, or else by the service that its check asks for, or its name."""
    if explicit := endpoint.get("kind"):
        return ServiceKind(explicit)
    query = parse_qsl(urlsplit(endpoint["check"]["path"]).query)
    asked = next((value for name, value in query if name.lower() == SERVICE_PARAMETER), "")
    return KINDS_BY_VALUE.get(asked.lower()) or KINDS_BY_VALUE.get(endpoint.get("name", ""), ServiceKind.WEB)


def kinds_by_name(endpoints: Sequence[Mapping[str, Any]]) -> dict[str, ServiceKind]:
    """The kind of each endpoint of a release, by the endpoint's name."""
    return {endpoint["name"]: kind_of(endpoint) for endpoint in endpoints}
