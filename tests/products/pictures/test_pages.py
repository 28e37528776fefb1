"""Where people see the pictures of a product: admin, portal, and the address of its icon."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import ApiToken
from products.models import Product, Release, ReleasePictures
from products.services import import_catalogue
from tests.factories import ReleaseFactory, UserFactory
from tests.products.conftest import MANIFEST, write_product
from tests.products.pictures.test_icon import png, svg

pytestmark = pytest.mark.django_db

DESCRIPTION = "icon: brand/icon.svg\ndescription: |\n  **Maps** for you.\n\n  <script>alert(1)</script>\n"
ICON = svg('<path d="M0 0h8v8z"/>')


@pytest.fixture
def product(catalogue: Path) -> Product:
    folder = write_product(catalogue, manifest=MANIFEST + DESCRIPTION)
    (folder / "brand").mkdir()
    (folder / "brand/icon.svg").write_bytes(ICON)
    import_catalogue()
    return Product.objects.get()


@pytest.fixture
def person() -> Client:
    client = Client()
    client.force_login(UserFactory.create())
    return client


def icon_url(product: Product) -> str:
    """Where the icon of the present release is."""
    return reverse("product_pictures:icon", args=(product.present_release_id,))


def test_import_keeps_icon_and_outline_with_the_release(product: Product) -> None:
    pictures = ReleasePictures.objects.get()
    assert bytes(pictures.icon) == ICON
    assert [service["name"] for service in pictures.outline["services"]] == ["gateway"]


def test_icon_is_served_so_that_nothing_in_it_can_run(product: Product, person: Client) -> None:
    response = person.get(icon_url(product))
    assert (response.status_code, response.content) == (200, ICON)
    assert response["Content-Type"] == "image/svg+xml"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'none'; sandbox"
    assert "immutable" in response["Cache-Control"]


def test_icon_is_for_people_who_are_signed_in(product: Product, person: Client) -> None:
    assert Client().get(icon_url(product)).status_code == 302
    assert person.post(icon_url(product)).status_code == 405
    assert person.get(reverse("product_pictures:icon", args=(10**6,))).status_code == 404


def test_release_with_a_symbol_has_no_icon_file(catalogue: Path, person: Client) -> None:
    import_catalogue()
    product = Product.objects.get()
    assert not product.has_icon_file
    assert person.get(icon_url(product)).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("icon.svg", svg("<script/>"), "product.yaml:28: icon: <script> is not allowed in an icon"),
        ("icon.png", svg(""), "product.yaml:28: icon: the icon is not a valid PNG."),
        ("icon.svg", None, "product.yaml:28: icon: “icon.svg” is not in the product's folder."),
        ("../icon.svg", None, "product.yaml:28: icon: “../icon.svg” does not have the right form."),
        ("/etc/icon.svg", None, "product.yaml:28: icon: “/etc/icon.svg” does not have the right form."),
        ("icon.gif", None, "product.yaml:28: icon: “icon.gif” does not have the right form."),
    ],
)
def test_icon_that_cannot_be_shown_refuses_the_release(
    catalogue: Path, name: str, content: bytes | None, reason: str
) -> None:
    manifest = MANIFEST + f"icon: {name}\n"
    line = manifest.splitlines().index(f"icon: {name}") + 1
    folder = write_product(catalogue, manifest=manifest)
    if content is not None:
        (folder / name).write_bytes(content)
    (result,) = import_catalogue().products
    assert result.reasons[0].startswith(reason.replace(":28:", f":{line}:"))
    assert not Release.objects.exists()


def test_png_can_be_an_icon(catalogue: Path) -> None:
    folder = write_product(catalogue, manifest=MANIFEST + "icon: icon.png\n")
    (folder / "icon.png").write_bytes(png())
    import_catalogue()
    assert ReleasePictures.objects.get().icon_type == "image/png"


def test_sync_adds_the_pictures_of_a_release_from_before(product: Product) -> None:
    ReleasePictures.objects.all().delete()
    import_catalogue()
    assert ReleasePictures.objects.get().outline["services"]


def test_portal_shows_description_icon_and_drawing(product: Product, person: Client) -> None:
    page = person.get(reverse("portal:choose_plan", args=("maps",))).content.decode()
    assert "<strong>Maps</strong> for you." in page
    assert "<script>alert" not in page
    assert 'role="img"' in page
    assert "Port 80 leads to gateway: Web Map Service." in page
    assert f'src="{icon_url(product)}"' in person.get(reverse("portal:choose_product")).content.decode()


def test_admin_shows_description_icon_drawing_and_plans(product: Product, admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:products_product_change", args=(product.pk,))).content.decode()
    assert "<strong>Maps</strong> for you." in page
    assert f'src="{icon_url(product)}"' in page
    assert "Composition of Map server" in page
    assert "<text x=" in page
    assert "products/pictures.css" in page
    page = admin_client.get(
        reverse("admin:products_release_change", args=(product.present_release_id,))
    ).content.decode()
    assert 'role="img"' in page
    for text in ("€99.90 / month", "€25.00", "4 CPUs, 8 GB memory, 80 GB disk", "A server of its own", "99.5"):
        assert text in page


def test_release_page_keeps_the_prices_of_that_release(product: Product, catalogue: Path, admin_client: Client) -> None:
    first = product.present_release_id
    write_product(catalogue, manifest=MANIFEST.replace('"49.00"', '"59.00"') + DESCRIPTION)
    import_catalogue()
    assert product.plans.get(slug="small").price == 59
    page = admin_client.get(reverse("admin:products_release_change", args=(first,))).content.decode()
    assert "€49.00 / month" in page
    assert "€59.00" not in page


def test_release_without_pictures_has_a_page_all_the_same(admin_client: Client, person: Client) -> None:
    release = ReleaseFactory.create()
    url = reverse("admin:products_release_change", args=(release.pk,))
    assert admin_client.get(url).status_code == 200


def test_lists_load_no_pictures(product: Product, admin_client: Client) -> None:
    for name in ("product", "release"):
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(reverse(f"admin:products_{name}_changelist"))
        assert not any("products_releasepictures" in query["sql"] for query in queries)


def test_api_names_the_address_of_the_icon_and_serves_it_to_a_token(product: Product) -> None:
    _row, text = ApiToken.objects.create(user=UserFactory.create(), name="script")
    api = APIClient(headers={"authorization": f"Bearer {text}"})
    url = api.get(f"/api/v1/products/{product.slug}/").json()["icon_url"]
    assert url == f"http://testserver/api/v1/products/{product.slug}/icon/"
    for accept in ("*/*", "image/svg+xml", "application/json"):
        response = api.get(url, headers={"accept": accept})
        assert (response.status_code, response.content) == (200, ICON), accept
        assert response["Content-Type"] == "image/svg+xml"
    assert APIClient().get(url).status_code == 401


def test_api_has_no_icon_address_for_a_symbol(catalogue: Path) -> None:
    import_catalogue()
    api = APIClient()
    api.force_authenticate(UserFactory.create())
    product = Product.objects.get()
    assert api.get(f"/api/v1/products/{product.slug}/").json()["icon_url"] is None
    assert api.get(f"/api/v1/products/{product.slug}/icon/").status_code == 404
    Product.objects.update(state=Product.State.RETIRED)
    assert api.get(f"/api/v1/products/{product.slug}/icon/").status_code == 404
