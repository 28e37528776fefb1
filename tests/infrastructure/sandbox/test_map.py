"""The sandbox's map: pictures and features that the programs of the field can read."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from django.test import Client
from django.utils import translation
from owslib.map.wms111 import WebMapService_1_1_1
from owslib.map.wms130 import WebMapService_1_3_0
from owslib.wfs import WebFeatureService
from PIL import Image

from infrastructure.models import Endpoint, Provider
from infrastructure.sandbox.models import SandboxSwitches
from infrastructure.sandbox.ogc.drawing import FINE_UP_TO, MapRequest, draw_map
from infrastructure.sandbox.ogc.sample_map import LAYER_NAMES
from infrastructure.sandbox.ogc.wms import LARGEST
from orders.models import Order
from orders.services import place_order
from products.models import ReleaseBundle
from tests.driving import Drive
from tests.factories import ReleaseFactory, make_draft

pytestmark = pytest.mark.django_db(transaction=True)

GET_MAP = {"bbox": "3,55,4,55.6", "crs": "CRS:84", "width": "200", "height": "120", "layers": "map", "styles": ""}


@pytest.fixture
def order(drive: Drive, this_room_alone: None) -> Order:
    """An active order in the sandbox, with an endpoint at /wms."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider, build_seconds=0, launch_seconds=0)
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    draft = make_draft(
        release=release, sandbox=True, plan_fields={"auto_approve": True}, name="Secret merger of Alder and Birch"
    )
    order = place_order(order=draft)
    drive.settle()
    return order


def ask(order: Order, path: str = "wms", **query: str) -> Any:
    """The answer of the order's sandbox."""
    return Client().get(f"/sandbox/{order.key}/{path}", query)


def picture(order: Order, **query: str) -> Image.Image:
    """The picture that GetMap answers with."""
    answer = ask(order, service="WMS", request="GetMap", **{"version": "1.3.0", **GET_MAP, **query})
    assert answer["Content-Type"].startswith("image/"), answer.content
    return Image.open(BytesIO(answer.content))


# --- WMS ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_owslib_reads_the_capabilities(order: Order, version: str) -> None:
    answer = ask(order, service="WMS", version=version, request="GetCapabilities")
    reader = WebMapService_1_3_0 if version == "1.3.0" else WebMapService_1_1_1
    service = reader(answer.wsgi_request.build_absolute_uri("/"), version=version, xml=answer.content)
    assert service.identification.title == "SANDBOX: Web Map Service"
    assert set(service.contents) == {"map", *LAYER_NAMES}
    assert service.contents["roads"].boundingBoxWGS84 == (3.0, 55.0, 4.0, 55.6)
    operation = service.getOperationByName("GetMap")
    assert "image/png" in operation.formatOptions
    assert operation.methods[0]["url"].startswith(f"http://testserver/sandbox/{order.key}/wms")


def test_numbers_are_the_same_in_every_language(order: Order) -> None:
    with translation.override("nl"):
        answer = ask(order, service="WMS", request="GetCapabilities")
    assert b'maxy="55.6"' in answer.content


def test_old_versions_get_what_they_can_read(order: Order) -> None:
    assert b"WMT_MS_Capabilities" in ask(order, service="WMS", version="1.0.0", request="GetCapabilities").content
    assert b"<WMS_Capabilities" in ask(order, service="wms", REQUEST="GetCapabilities").content


def test_get_map_is_a_picture_with_land_and_sea(order: Order) -> None:
    image = picture(order)
    assert (image.format, image.size) == ("PNG", (200, 120))
    assert len(image.convert("RGB").getcolors(100_000) or ()) > 20
    sea, land = image.convert("RGB").getpixel((3, 3)), image.convert("RGB").getpixel((60, 40))
    assert sea == (213, 232, 242)
    assert land != sea


def test_same_area_is_the_same_picture_in_each_way_of_asking(order: Order) -> None:
    usual = picture(order).tobytes()
    assert picture(order, crs="EPSG:4326", bbox="55,3,55.6,4").tobytes() == usual
    old = ask(order, service="WMS", version="1.1.1", request="GetMap", srs="EPSG:4326", **_without_crs())
    assert Image.open(BytesIO(old.content)).tobytes() == usual


def _without_crs() -> dict[str, str]:
    return {name: value for name, value in GET_MAP.items() if name != "crs"}


def test_web_maps_get_their_projection(order: Order) -> None:
    image = picture(order, crs="EPSG:3857", bbox="333958,7361866,445278,7480000")
    assert len(image.convert("RGB").getcolors(100_000) or ()) > 20


def test_transparency_format_and_background(order: Order) -> None:
    assert picture(order, transparent="TRUE", layers="roads").convert("RGBA").getpixel((3, 3)) == (0, 0, 0, 0)
    assert picture(order, format="image/jpeg").format == "JPEG"
    assert picture(order, bgcolor="0x102030", layers="roads").convert("RGB").getpixel((3, 3)) == (16, 32, 48)
    assert picture(order, bgcolor="red;", layers="roads").convert("RGB").getpixel((3, 3)) == (213, 232, 242)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"layers": "gold"}, "LayerNotDefined"),
        ({"layers": ""}, "MissingParameterValue"),
        ({"crs": "EPSG:28992"}, "InvalidCRS"),
        ({"format": "image/tiff"}, "InvalidFormat"),
        ({"width": str(LARGEST + 1)}, "InvalidParameterValue"),
        ({"width": "0"}, "InvalidParameterValue"),
        ({"height": "²"}, "InvalidParameterValue"),
        ({"bbox": "1,2,3"}, "MissingParameterValue"),
        ({"bbox": "4,55,3,56"}, "InvalidParameterValue"),
        ({"bbox": "nan,0,1,1"}, "InvalidParameterValue"),
        ({"bbox": "-inf,0,inf,1"}, "InvalidParameterValue"),
        ({"request": "GetFeatureInfo"}, "OperationNotSupported"),
        ({"request": "<script>"}, "OperationNotSupported"),
    ],
)
@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_what_cannot_be_drawn_is_an_exception_of_the_standard(
    order: Order, query: dict[str, str], code: str, version: str
) -> None:
    asked = {"service": "WMS", "version": version, "request": "GetMap", **GET_MAP, **query}
    if version == "1.1.1":
        asked["srs"] = asked.pop("crs").replace("CRS:84", "EPSG:4326")
    report = Xml.fromstring(ask(order, **asked).content)  # noqa: S314  (our own answer)
    assert report[0].get("code") == code
    assert (report[0].text or "").strip().endswith(".")


def test_large_picture_and_far_away_area_are_drawn() -> None:
    bounds = (3.42, 55.21, 3.42 + 1e-9, 55.21 + 1e-9)
    far = draw_map(MapRequest(bounds=bounds, width=50, height=50, layers=LAYER_NAMES))
    large = draw_map(MapRequest(bounds=(3, 55, 4, 55.6), width=FINE_UP_TO + 1, height=100, layers=LAYER_NAMES))
    assert Image.open(BytesIO(far)).size == (50, 50)
    assert Image.open(BytesIO(large)).size == (FINE_UP_TO + 1, 100)


# --- WFS ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["2.0.0", "1.1.0"])
def test_owslib_reads_the_feature_service(order: Order, version: str) -> None:
    answer = ask(order, service="WFS", version=version, request="GetCapabilities")
    service = WebFeatureService("http://testserver/", version=version, xml=answer.content)
    assert service.identification.title == "SANDBOX: Web Map Service"
    assert list(service.contents) == ["sandbox:places"]
    assert service.contents["sandbox:places"].boundingBoxWGS84 == (3.0, 55.0, 4.0, 55.6)
    assert {"GetCapabilities", "DescribeFeatureType", "GetFeature"} <= {each.name for each in service.operations}


@pytest.mark.parametrize(("version", "member"), [("2.0.0", "member"), ("1.1.0", "featureMember")])
def test_features_are_gml(order: Order, version: str, member: str) -> None:
    answer = ask(order, service="WFS", version=version, request="GetFeature", typename="sandbox:places")
    members = [item for item in Xml.fromstring(answer.content) if item.tag.endswith(f"}}{member}")]  # noqa: S314
    assert len(members) == 5
    positions = {item.text for item in members[0].iter() if item.tag.endswith("}pos")}
    assert positions == {"55.21 3.42"}  # latitude first, as the URN says


def test_features_are_json_as_many_as_asked(order: Order) -> None:
    asked = {"service": "WFS", "request": "GetFeature", "typenames": "places", "outputformat": "application/json"}
    collection = json.loads(ask(order, count="2", **asked).content)
    assert [feature["properties"]["name"] for feature in collection["features"]] == ["Sandhaven", "Northwick"]
    assert collection["features"][0]["geometry"] == {"type": "Point", "coordinates": [3.42, 55.21]}


def test_features_are_counted(order: Order) -> None:
    hits = ask(order, service="WFS", request="GetFeature", typenames="places", resulttype="hits")
    assert b'numberMatched="5" numberReturned="0"' in hits.content
    old = ask(order, service="WFS", version="1.1.0", request="GetFeature", typename="places", resulttype="hits")
    assert b'numberOfFeatures="5"' in old.content


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0"])
def test_feature_type_is_described(order: Order, version: str) -> None:
    schema = Xml.fromstring(  # noqa: S314
        ask(order, service="WFS", version=version, request="DescribeFeatureType").content
    )
    assert {item.get("name") for item in schema.iter() if item.get("type", "").startswith("xs:")} == {
        "name",
        "population",
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"request": "GetFeature"}, "MissingParameterValue"),
        ({"request": "GetFeature", "typenames": "gold"}, "InvalidParameterValue"),
        ({"request": "GetFeature", "typenames": "places", "count": "²"}, "InvalidParameterValue"),
        ({"request": "Transaction"}, "OperationNotSupported"),
    ],
)
def test_wrong_request_is_an_exception_report(order: Order, query: dict[str, str], code: str) -> None:
    answer = ask(order, service="WFS", **query)
    assert answer.status_code == 400
    assert Xml.fromstring(answer.content)[0].get("exceptionCode") == code  # noqa: S314


# --- What the address tells, and to whom ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"any": "thing"},
        {"service": "WMS", "request": "GetCapabilities"},
        {"service": "WFS", "request": "GetCapabilities"},
        {"request": "GetCapabilities"},
    ],
)
def test_no_answer_tells_the_name_or_the_customer_of_an_order(order: Order, query: dict[str, str]) -> None:
    answer = ask(order, **query)
    assert answer.status_code == 200
    for secret in (order.name, "merger", order.customer.name, order.customer.number):
        assert secret not in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"


def test_page_shows_the_map(order: Order) -> None:
    content = ask(order).content.decode()
    assert f'<img src="http://testserver/sandbox/{order.key}/wms?service=WMS' in content
    assert "no real servers" in content


@pytest.mark.parametrize("contains", ["Capabilities", "csw:Capabilities", "<tag> & more", "GetMap"])
def test_check_finds_the_text_and_status_that_it_asks_for(order: Order, contains: str) -> None:
    Endpoint.objects.update(check_contains=contains, check_status=203)
    answer = ask(order, request="GetCapabilities")
    assert answer.status_code == 203
    assert contains in answer.content.decode()


def test_other_paths_and_orders_are_not_there(order: Order) -> None:
    assert ask(order, path="elsewhere").status_code == 404
    assert Client().get("/sandbox/live-GL0000/wms").status_code == 404
