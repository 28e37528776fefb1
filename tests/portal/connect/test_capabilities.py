"""What a Web Map Service says of itself, and the pictures requested of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.portal.connect.capabilities import (
    EARTH,
    NotCapabilities,
    capabilities_url,
    fitted,
    map_url,
    read_layers,
)

BOX = """<EX_GeographicBoundingBox><westBoundLongitude>{}</westBoundLongitude>
<eastBoundLongitude>{}</eastBoundLongitude><southBoundLatitude>{}</southBoundLatitude>
<northBoundLatitude>{}</northBoundLatitude></EX_GeographicBoundingBox>"""


def document(layers: str) -> bytes:
    return (
        '<?xml version="1.0"?><WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms">'
        f"<Capability>{layers}</Capability></WMS_Capabilities>"
    ).encode()


def test_layers_are_read_with_their_extent_or_that_of_the_layer_above() -> None:
    box = BOX.format(0, 180, 0, 45)
    layers = read_layers(
        document(
            f"<Layer><Title>All</Title>{box}"
            "<Layer><Name>roads</Name><Title>Roads</Title></Layer>"
            f"<Layer><Name>towns</Name>{BOX.format(-180, 0, -90, 90)}</Layer></Layer>"
        )
    )
    assert [(layer.name, layer.title) for layer in layers] == [("roads", "Roads"), ("towns", "towns")]
    assert layers[0].box == pytest.approx((0, 0, EARTH, 5621521.486), abs=1e-3)
    assert layers[1].box[0] == pytest.approx(-EARTH)


def test_a_layer_without_a_sensible_extent_is_left_out() -> None:
    boxes = (BOX.format(5, 5, 0, 1), BOX.format("east", 9, 0, 1), "")
    for box in boxes:
        assert read_layers(document(f"<Layer><Layer><Name>odd</Name>{box}</Layer></Layer>")) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"SANDBOX: not a map", b"<html/>", document(""), b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', b"\xff\xfe"],
)
def test_what_is_no_capabilities_document_is_refused(content: bytes) -> None:
    with pytest.raises(NotCapabilities):
        read_layers(content)


def test_a_picture_keeps_what_the_address_itself_asks_for() -> None:
    url = map_url(
        "https://maps.example/ows?map=a.map&service=other", layer="a b&c", box=(1, 2, 3, 4), width=9, height=8
    )
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert query["map"] == ["a.map"]
    assert "service" not in query
    assert (query["LAYERS"], query["BBOX"]) == (["a b&c"], ["1.00,2.00,3.00,4.00"])
    assert (query["CRS"], query["WIDTH"], query["HEIGHT"]) == (["EPSG:3857"], ["9"], ["8"])
    assert parse_qs(urlsplit(capabilities_url("https://maps.example/")).query)["REQUEST"] == ["GetCapabilities"]


edges = st.floats(-EARTH, EARTH)


@given(edges, edges, st.floats(0, EARTH), st.floats(0, EARTH))
def test_a_fitted_box_has_the_proportions_of_the_picture_and_holds_the_layer(
    left: float, bottom: float, across: float, up: float
) -> None:
    box = fitted((left, bottom, left + across, bottom + up), width=720, height=400)
    assert (box[2] - box[0]) / (box[3] - box[1]) == pytest.approx(720 / 400, rel=1e-3)
    assert box[0] <= left
    assert box[2] >= left + across
    assert box[1] <= bottom
    assert box[3] >= bottom + up
