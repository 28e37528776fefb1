"""What cannot be stored, shown or put into XML is refused with a sentence, through every door."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from core.text.plain_text import is_plain_text, unfit_paths
from customers.models import ApiToken, Customer, User
from orders.models import Order
from tests.factories import MembershipFactory, PlanFactory, ReleaseFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db
SENTENCE = "Remove the control characters from this text."
UNFIT = ["\x00", "\x0b", "\x1b", "\x7f", "\x9f", "\ud800", "\udfff", "\ufffe"]


@pytest.fixture
def owner() -> User:
    user: User = MembershipFactory(user__email="anna@example.org").user
    return user


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def token(owner: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {ApiToken.objects.create(user=owner)[1]}"}


@pytest.mark.parametrize("character", UNFIT)
def test_unfit_characters_break_the_rule(character: str) -> None:
    assert not is_plain_text(f"maps{character}")


def test_ordinary_text_of_any_script_keeps_the_rule() -> None:
    assert is_plain_text("Kaart\tvan de\r\nVallei · Карта · 地図 · 🗺️ \x85")


def test_unfit_texts_in_json_are_found_by_their_path() -> None:
    body = {"name": "a\x00", "inputs": {"title": "b\x1b", "tags": ["ok", "\ud800"]}, "k\x00": 1, "count": 3}
    assert list(unfit_paths(body)) == ["name", "inputs.title", "inputs.tags", ""]


@pytest.mark.parametrize("address", ["/orders/a%00b/", "/?q=%00", "/?a%1bb=1", "/customers/%7f/"])
def test_page_with_a_control_character_in_its_address_is_refused(client: Client, address: str) -> None:
    page = client.get(address)
    assert (page.status_code, SENTENCE in page.content.decode()) == (400, True)


@pytest.mark.parametrize("address", ["/api/v1/orders/a%00b/", "/api/v1/orders/?state=%00"])
def test_api_refuses_a_control_character_in_an_address_by_a_problem(owner: User, address: str) -> None:
    answer = Client().get(address, headers=token(owner))
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert (answer.json()["code"], answer.json()["detail"]) == ("invalid_characters", SENTENCE)


def test_api_takes_a_percent_sign_in_the_name_of_a_filter_for_an_unknown_filter(owner: User) -> None:
    answer = Client().get("/api/v1/orders/?%25s=1&%25(name)s=2", headers=token(owner))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("name", ["maps\\u0000", "maps\\u001b", "maps\\ud800"])
def test_api_refuses_control_characters_and_half_surrogates_at_their_field(owner: User, name: str) -> None:
    plan = PlanFactory(product=ReleaseFactory().product)
    customer = Customer.objects.get()
    names = f'"customer": "{customer.number}", "product": "{plan.product.slug}", "plan": "{plan.slug}"'
    body = f'{{{names}, "name": "{name}"}}'
    answer = Client().post("/api/v1/orders/", body, content_type="application/json", headers=token(owner))
    assert (answer.status_code, answer.json()["errors"]) == (422, {"name": [SENTENCE]})
    assert not Order.objects.exists()


def test_form_with_a_control_character_is_refused_and_stores_nothing(client: Client, owner: User) -> None:
    page = client.post("/profile/", {"first_name": "Anna\x0b", "last_name": "", "time_zone": ""})
    assert (page.status_code, SENTENCE in page.content.decode()) == (400, True)
    owner.refresh_from_db()
    assert "\x0b" not in owner.first_name


@pytest.mark.parametrize(("address", "kind"), [("/profile/", "text/html"), ("/api/v1/orders/", "application/problem")])
def test_body_that_is_too_large_is_refused_with_its_limit(client: Client, owner: User, address: str, kind: str) -> None:
    body = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    answer = client.post(address, body, content_type="application/json", headers=token(owner))
    assert (answer.status_code, "larger than 2621 kB" in answer.content.decode()) == (413, True)
    assert answer["Content-Type"].startswith(kind)


def test_address_that_only_takes_a_form_answers_with_a_page(client: Client) -> None:
    page = client.get("/orders/GLXXXX/placing/")
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "Not available here" in page.content.decode()


def test_staff_without_a_permission_read_its_name_and_who_gives_it(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    page = client.get("/admin/orders/order/")
    assert page.status_code == 403
    text = page.content.decode()
    assert "Can view order" in text
    assert "orders.view_order" in text
    assert "An administrator can grant it" in text


def test_staff_in_the_portal_are_sent_to_the_admin(client: Client) -> None:
    order = make_draft(customer=Customer.objects.get())
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get(f"/orders/{order.reference}/removal/")
    assert (page.status_code, "Staff manage orders in the admin" in page.content.decode()) == (403, True)
