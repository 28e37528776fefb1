"""Where to connect, the files for QGIS, and the map preview."""

from __future__ import annotations

import pytest
from django.test import Client

from core.errors import TransientError
from customers.models import Customer, User
from infrastructure.models import Deployment, Endpoint, Provider, Server
from live.portal.connect import map_client
from live.portal.connect.map_client import MapResponse
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, remove_order, report
from tests.factories import make_draft
from tests.portal.conftest import SignIn
from tests.portal.connect.test_capabilities import BOX, document

pytestmark = pytest.mark.django_db

CAPABILITIES = document(f"<Layer><Name>all</Name><Title>Everything</Title>{BOX.format(4, 7, 51, 54)}</Layer>")
PICTURE = "layer=all&box=0,0,100,50&width=200&height=100"


class FakeMapClient:
    """Maps of a service that answers as the test says."""

    def __init__(self) -> None:
        self.requested: list[str] = []
        self.picture: MapResponse | None = MapResponse(content=b"\x89PNG", media_type="image/png")

    def get(self, url: str) -> MapResponse:
        self.requested.append(url)
        if "GetCapabilities" in url:
            return MapResponse(content=CAPABILITIES, media_type="text/xml")
        if self.picture is None:
            raise TransientError("The map service did not respond")
        return self.picture


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> FakeMapClient:
    client = FakeMapClient()
    monkeypatch.setattr(map_client, "get_map_client", lambda: client)
    return client


@pytest.fixture
def order(customer: Customer) -> Order:
    order = place_order(order=make_draft(customer=customer, name="Polder", plan_fields={"auto_approve": True}))
    provider = Provider.objects.create(slug="pool", name="Pool", kind=Provider.Kind.EXISTING)
    Server.objects.filter(order=order).delete()
    server = Server.objects.create(order=order, provider=provider, done_version=1)
    deployment = Deployment.objects.create(order=order, server=server, release=order.release, done_version=1)
    for name in ("wms", "page"):
        Endpoint.objects.create(
            order=order,
            deployment=deployment,
            name=name,
            application=name.upper(),
            url=f"https://gl.example/{name}",
            check_url=f"https://gl.example/{name}",
        )
    for part in Part:
        report(order.pk, part, PartState.READY, version=1)
    order.refresh_from_db()
    return order


@pytest.fixture
def client(owner: User, sign_in: SignIn) -> Client:
    return sign_in(owner)


def test_the_page_says_where_and_how_to_connect(order: Order, client: Client) -> None:
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert 'data-copy="https://gl.example/wms"' in page
    assert "How to connect" in page
    assert 'WebMapService("https://gl.example/wms"' in page.replace("&quot;", '"')
    assert f'hx-get="/orders/{order.reference}/map/"' in page
    assert page.count("QGIS connection file for") == 1


def test_a_connection_file_is_downloaded(order: Order, client: Client) -> None:
    file = client.get(f"/orders/{order.reference}/qgis/wms/")
    assert file["Content-Disposition"] == f'attachment; filename="{order.reference.lower()}-wms.xml"'
    assert 'name="Polder · WMS"' in file.content.decode()


@pytest.mark.parametrize("name", ["page", "nothing"])
def test_there_is_no_file_for_what_qgis_cannot_read(order: Order, client: Client, name: str) -> None:
    assert client.get(f"/orders/{order.reference}/qgis/{name}/").status_code == 404


def test_the_preview_shows_the_layers_of_the_orders_own_service(
    order: Order, client: Client, maps: FakeMapClient
) -> None:
    piece = client.get(f"/orders/{order.reference}/map/").content.decode()
    assert "Everything" in piece
    assert f'src="/orders/{order.reference}/map/wms/?layer=all' in piece
    assert all(url.startswith("https://gl.example/wms?") for url in maps.requested)


def test_a_picture_is_fetched_once_for_a_while(order: Order, client: Client, maps: FakeMapClient) -> None:
    for _time in range(2):
        picture = client.get(f"/orders/{order.reference}/map/wms/?{PICTURE}")
        assert (picture.content, picture["Content-Type"]) == (b"\x89PNG", "image/png")
    assert "private" in picture["Cache-Control"]
    assert sum("GetMap" in url for url in maps.requested) == 1


@pytest.mark.parametrize(
    "query",
    [
        "",
        PICTURE.replace("layer=all", "layer=other"),
        PICTURE.replace("width=200", "width=99999"),
        PICTURE.replace("0,0,100,50", "0,0,100"),
        PICTURE.replace("0,0,100,50", "100,0,0,50"),
        PICTURE.replace("0,0,100,50", "nan,0,inf,50"),
        PICTURE.replace("0,0,100,50", "a,b,c,d"),
    ],
)
def test_a_picture_of_nothing_sensible_is_refused_without_asking_for_it(
    order: Order, client: Client, maps: FakeMapClient, query: str
) -> None:
    assert client.get(f"/orders/{order.reference}/map/wms/?{query}").status_code == 400
    assert not any("GetMap" in url for url in maps.requested)


@pytest.mark.parametrize("picture", [None, MapResponse(content=b"<html>", media_type="text/html")])
def test_a_service_that_draws_nothing_is_a_bad_gateway(
    order: Order, client: Client, maps: FakeMapClient, picture: MapResponse | None
) -> None:
    maps.picture = picture
    refused = client.get(f"/orders/{order.reference}/map/wms/?{PICTURE}")
    assert refused.status_code == 502
    assert b"<html" not in refused.content


def test_a_service_without_layers_is_explained(order: Order, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def get(self, url: str) -> MapResponse:
            raise TransientError("The map service did not respond")

    monkeypatch.setattr(map_client, "get_map_client", Silent)
    assert b"does not describe any layers" in client.get(f"/orders/{order.reference}/map/").content


def test_a_page_is_no_map(order: Order, client: Client, maps: FakeMapClient) -> None:
    assert client.get(f"/orders/{order.reference}/map/page/?{PICTURE}").status_code == 404


def test_nothing_is_offered_of_an_order_that_is_leaving(order: Order, client: Client, maps: FakeMapClient) -> None:
    remove_order(order=order)
    assert "How to connect" not in client.get(f"/orders/{order.reference}/").content.decode()
    for path in ("map/", "qgis/wms/", f"map/wms/?{PICTURE}"):
        assert client.get(f"/orders/{order.reference}/{path}").status_code == 404
    assert maps.requested == []
