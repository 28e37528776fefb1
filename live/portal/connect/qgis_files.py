"""Connection files that QGIS imports (Data Source Manager, “Load”), one connection each.

The elements and attributes are those of QGIS 3 (src/gui/qgsmanageconnectionsdialog.cpp) and of its MetaSearch plugin,
which reads catalogues: https://docs.qgis.org/3.40/en/docs/user_manual/plugins/core_plugins/plugins_metasearch.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from live.portal.connect.service_kinds import ServiceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """The root element, its version, the element of a connection, and the attributes that QGIS expects besides."""

    root: str
    version: str
    element: str
    extra: Mapping[str, str]


AS_PUBLISHED = {
    "ignoreGetMapURI": "false",
    "ignoreGetFeatureInfoURI": "false",
    "ignoreAxisOrientation": "false",
    "invertAxisOrientation": "false",
    "smoothPixmapTransform": "false",
    "dpiMode": "7",
    "referer": "",
}
AXES = {"ignoreAxisOrientation": "false", "invertAxisOrientation": "false"}
FORMATS: Mapping[ServiceKind, FileFormat] = {
    # QGIS reads tile services through the same connections as maps.
    ServiceKind.WMS: FileFormat(root="qgsWMSConnections", version="1.0", element="wms", extra=AS_PUBLISHED),
    ServiceKind.WMTS: FileFormat(root="qgsWMSConnections", version="1.0", element="wms", extra=AS_PUBLISHED),
    ServiceKind.WCS: FileFormat(root="qgsWCSConnections", version="1.0", element="wcs", extra=AS_PUBLISHED),
    ServiceKind.WFS: FileFormat(
        root="qgsWFSConnections",
        version="1.1",
        element="wfs",
        extra={"version": "auto", "pagingenabled": "true", "pagesize": "", "maxnumfeatures": "", **AXES},
    ),
    ServiceKind.OGC_API: FileFormat(
        root="qgsWFSConnections",
        version="1.1",
        element="wfs",
        extra={"version": "OGC_API_FEATURES", "pagingenabled": "true", "pagesize": "", "maxnumfeatures": "", **AXES},
    ),
    ServiceKind.CSW: FileFormat(root="qgsCSWConnections", version="1.0", element="csw", extra={}),
}


def connection_file(kind: ServiceKind, *, name: str, url: str) -> str:
    """The file for one connection; KeyError for a kind that QGIS has no connections for."""
    file_format = FORMATS[kind]
    attributes = {"name": name, "url": url, **file_format.extra}
    written = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    doctype = "" if kind is ServiceKind.CSW else "<!DOCTYPE connections>\n"
    return (
        f'{doctype}<{file_format.root} version="{file_format.version}">\n'
        f"    <{file_format.element} {written}/>\n"
        f"</{file_format.root}>\n"
    )
