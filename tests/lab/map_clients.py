"""Programs of others that read an order's services, by nothing but the files that the portal hands out."""

from __future__ import annotations

import re
import subprocess
from xml.etree import ElementTree

from django.test import Client
from owslib.csw import CatalogueServiceWeb
from owslib.wfs import WebFeatureService
from owslib.wms import WebMapService

from orders.models import Order
from tests.factories import MembershipFactory

PNG = b"\x89PNG\r\n\x1a\n"


def address_in_file(order: Order, endpoint: str) -> str:
    """The URL in the connection file for QGIS, as a member of the order's customer downloads it."""
    browser = Client()
    browser.force_login(MembershipFactory(customer=order.customer).user)
    answer = browser.get(f"/orders/{order.reference}/qgis/{endpoint}/")
    assert answer.status_code == 200, endpoint
    (connection,) = ElementTree.fromstring(answer.content)  # noqa: S314  (a text of ours)
    return connection.attrib["url"]


def read_by_owslib(order: Order) -> None:
    """OWSLib reads the capabilities of each service, draws a map, and fetches features and records."""
    maps = WebMapService(address_in_file(order, "wms"), version="1.3.0", timeout=20)
    name, layer = next(iter(maps.contents.items()))
    picture = maps.getmap(
        layers=[name], size=(200, 100), srs="EPSG:4326", bbox=layer.boundingBoxWGS84, format="image/png"
    )
    assert picture.read().startswith(PNG)

    features = WebFeatureService(address_in_file(order, "wfs"), version="2.0.0", timeout=20)
    answer = features.getfeature(typename=[next(iter(features.contents))], maxfeatures=3)
    assert b"FeatureCollection" in answer.read()

    records = CatalogueServiceWeb(address_in_file(order, "csw"), timeout=20)
    records.getrecords2(maxrecords=5)
    assert records.results["matches"] >= 0
    assert {"GetRecords", "GetRecordById"} <= {operation.name for operation in records.operations}


def read_by_gdal(order: Order) -> None:
    """GDAL lists the layers of the map and of the features, and opens the first of each."""
    maps = asked("gdalinfo", f"WMS:{address_in_file(order, 'wms')}")
    dataset = re.search(r"SUBDATASET_1_NAME=(WMS:\S+)", maps)
    assert dataset, maps
    assert "Driver: WMS/OGC Web Map Service" in asked("gdalinfo", dataset[1])

    source = f"WFS:{address_in_file(order, 'wfs')}"
    layer = re.search(r"^1: (\S+)", asked("ogrinfo", "-ro", source), re.MULTILINE)
    assert layer
    count = re.search(r"Feature Count: (\d+)", asked("ogrinfo", "-ro", "-so", source, layer[1]))
    assert count
    assert int(count[1]) > 0


def asked(*command: str) -> str:
    """What the program prints; it fails the test when it fails."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
