"""What kind of service answers at an endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings

from live.portal.connect.service_kinds import ServiceKind, kind_of, kinds_by_name


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ({"check": {"path": "/wms?service=WMS&request=GetCapabilities"}}, ServiceKind.WMS),
        ({"check": {"path": "/ows?SERVICE=wfs&version=2.0.0"}}, ServiceKind.WFS),
        ({"check": {"path": "/csw?service=CSW"}}, ServiceKind.CSW),
        ({"check": {"path": "/?service=SOS"}}, ServiceKind.WEB),
        ({"check": {"path": "/"}}, ServiceKind.WEB),
        ({"name": "wcs", "check": {"path": "/"}}, ServiceKind.WCS),
        ({"kind": "ogc-api", "check": {"path": "/collections"}}, ServiceKind.OGC_API),
        ({"kind": "web", "check": {"path": "/wms?service=WMS"}}, ServiceKind.WEB),
    ],
)
def test_the_kind_is_as_the_manifest_says_or_as_its_check_asks(endpoint: dict[str, Any], kind: ServiceKind) -> None:
    assert kind_of(endpoint) is kind
    assert kinds_by_name([{"name": "it", **endpoint}]) == {endpoint.get("name", "it"): kind}


def test_only_services_of_gis_programs_have_a_file_for_qgis() -> None:
    without = {kind for kind in ServiceKind if not kind.has_qgis_file}
    assert without == {ServiceKind.WEB}


def test_the_schema_knows_the_same_kinds() -> None:
    schema = json.loads((settings.BASE_DIR / "products/schema/product.schema.json").read_text())
    assert set(schema["$defs"]["endpoint"]["properties"]["kind"]["enum"]) == {kind.value for kind in ServiceKind}
