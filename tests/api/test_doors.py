"""Who gets in, what errors look like, how lists are cut, and what the schema says: true of every address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle

from core import clock
from customers.models import ApiToken, Customer, User
from customers.tokens.choices import Scope
from orders.models import Order
from orders.services import place_order
from tests.api.conftest import Caller, furnish, make_staff
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"
OPEN = ("/products/", "/releases/", "/plans/")  # the catalogue is for everybody who is signed in
STAFF_ONLY = ("/fleet-upgrades/",)  # refused as a whole, whether a row is there or not


def patterns(under: Any = None, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the site with its pattern, in words such as `/api/v1/orders/<reference>/`."""
    for pattern in (under or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern).strip("^$").replace("\\Z", "")
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, path)
        else:
            yield path, pattern


def rows() -> list[tuple[str, URLPattern]]:
    """The addresses of the rooms."""
    return [(path, pattern) for path, pattern in patterns() if path.startswith("/api/v1/")]


def address(path: str, order: Order) -> str:
    """The address with the values of an order of Waterschap Vallei filled in."""
    values = {
        "/customers/": order.customer.number,
        "/products/": order.release.product.slug,
        "/releases/": str(order.release_id),
        "/plans/": str(order.plan_id),
        "/servers/": str(order.server.pk),
        "/subscriptions/": str(order.subscription.pk),
        "/invoices/": order.invoices.get().number,
        "/monitors/": str(order.monitor.pk),
        "/services/": str(order.deployment.services.get().pk),
        "/payments/": str(order.customer.payments.get().pk),
        "/webhooks/": str(order.customer.webhooks.get().pk),
        "/incidents/": str(order.incidents.get().pk),
    }
    value = next((value for room, value in values.items() if path.startswith(f"/api/v1{room}")), order.reference)
    return re.sub(r"\(\?P<[^)]*\)", value, path)


def test_there_are_addresses_to_walk() -> None:
    assert {path.split("/")[3] for path, _ in rows()} >= {
        "customers",
        "products",
        "releases",
        "plans",
        "orders",
        "servers",
        "services",
        "monitors",
        "subscriptions",
        "invoices",
    }


def test_nobody_gets_in_without_a_token(order: Order) -> None:
    for path, pattern in rows():
        for method in tuple(pattern.callback.actions):  # type: ignore[attr-defined]
            refused = APIClient().generic(method.upper(), address(path, order))
            assert (refused.status_code, refused["Content-Type"]) == (401, PROBLEM), path
            assert refused["WWW-Authenticate"] == "Bearer"


def test_stranger_meets_nothing_of_another_customer(stranger: APIClient, order: Order) -> None:
    secret = (order.reference, order.customer.number, order.customer.name, order.name)
    for path, pattern in rows():
        for method in tuple(pattern.callback.actions):  # type: ignore[attr-defined]
            answer = stranger.generic(method.upper(), address(path, order), "{}", content_type="application/json")
            shown = answer.content.decode().replace(answer.wsgi_request.path, "")
            assert not any(word in shown for word in secret), path
            if "(?P<" in path and not any(room in path for room in OPEN):
                is_for_staff = any(room in path for room in STAFF_ONLY)
                assert answer.status_code == (403 if is_for_staff else 404), path
    order.refresh_from_db()
    assert order.wanted == "running"


def test_every_view_names_its_permissions_and_every_post_works_once() -> None:
    for path, pattern in rows():
        view = pattern.callback.cls  # type: ignore[attr-defined]
        assert any("permission_classes" in vars(kind) for kind in view.__mro__[:2]), path
        assert AllowAny not in view.permission_classes
        assert view.scope in Scope.values, path
        assert hasattr(view, "customer_path"), path
        actions = pattern.callback.actions  # type: ignore[attr-defined]
        for name in (actions[method] for method in actions if method not in ("get", "head")):
            assert getattr(getattr(view, name), "works_once", False), f"{path} {name}"


def test_token_that_is_wrong_expired_or_of_a_closed_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    user = UserFactory()
    row, token = ApiToken.objects.create(user=user)
    assert row.expiry is not None
    assert token not in (row.digest, row.token_key)

    def answer(given: str) -> tuple[int, str]:
        got = Client().get("/api/v1/orders/", headers={"Authorization": f"Bearer {given}"})
        return got.status_code, got.json().get("detail", "")

    assert answer(token) == (200, "")
    assert answer(token[:-1] + "x") == answer("é") == (401, "Unknown token.")
    with monkeypatch.context() as patch:
        then = clock.now() + timedelta(days=366)
        patch.setattr(clock, "now", lambda: then)
        assert answer(token) == (401, "This token has expired.")
    User.objects.update(is_active=False)
    assert answer(token) == (401, "This account is disabled.")


def test_use_of_a_token_is_noted_once_a_minute(calling: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    start = clock.now()
    client = calling(UserFactory())
    noted = []
    for seconds in (0, 59, 60):
        now = start + timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        client.get("/api/v1/plans/")
        noted.append(ApiToken.objects.get().last_used_at)
    assert noted == [start, start, start + timedelta(seconds=60)]


def test_browser_session_is_let_in_but_needs_its_csrf_token(draft: Order) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(MembershipFactory(customer=draft.customer).user)
    assert browser.get(f"/api/v1/orders/{draft.reference}/").status_code == 200
    refused = browser.post(f"/api/v1/orders/{draft.reference}/removal/", {}, "application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "status", "code"),
    [
        ("GET", "/api/v1/orders/GL0000/", "", "", 404, "not_found"),
        ("GET", "/api/v1/nothing/", "", "", 404, "not_found"),
        ("POST", "/api/v1/orders", "{}", "application/json", 404, "not_found"),
        ("OPTIONS", "/api/v1/orders/", "", "", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/orders/", "", "", 405, "method_not_allowed"),
        ("POST", "/api/v1/orders/", "{", "application/json", 400, "parse_error"),
        ("POST", "/api/v1/orders/", "[]", "application/json", 422, "invalid"),
        ("POST", "/api/v1/orders/", "<o/>", "text/xml", 415, "unsupported_media_type"),
        ("GET", "/api/v1/orders/?cursor=cD1hYmM=", "", "", 404, "not_found"),
        ("GET", "/api/v1/orders/?cursor=%C3%A9", "", "", 404, "not_found"),
    ],
)
def test_every_error_is_a_problem_document(
    owner: APIClient, method: str, path: str, body: str, media: str, status: int, code: str
) -> None:
    answer = owner.generic(method, path, body, content_type=media)
    document = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    assert document["type"] == f"http://testserver/api/problems/{code}/"
    assert (document["status"], document["code"], document["instance"]) == (status, code, path.partition("?")[0])
    assert document["title"]
    assert document["detail"]
    assert Client().get(document["type"]).json() == {"code": code, "title": document["title"]}


def test_too_many_requests_are_told_when_to_come_back(owner: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
    answers = [owner.get("/api/v1/orders/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "throttled"
    assert 0 < int(answers[2]["Retry-After"]) <= 61


def test_pages_follow_each_other_newest_first(owner: APIClient, customer: Customer) -> None:
    made = [make_draft(customer=customer, name=f"maps {n}").reference for n in range(5)]
    found, page = [], owner.get("/api/v1/orders/?page_size=2").json()
    found += page["results"]
    while page["next"]:
        page = owner.get(page["next"]).json()
        found += page["results"]
    assert [row["reference"] for row in found] == made[::-1]
    refused = owner.get("/api/v1/orders/?page_size=501")
    assert (refused.status_code, refused.json()["errors"]) == (400, {"page_size": ["Use a number from 1 to 500."]})


@pytest.mark.parametrize("cursor", ["", "x", "bm90aGluZw==", "cD1hYmM=", "cj0x"])
def test_broken_cursor_is_refused_instead_of_answered_with_the_first_page(
    owner: APIClient, order: Order, cursor: str
) -> None:
    assert owner.get(f"/api/v1/orders/?cursor={cursor}").status_code == 404


def test_staff_read_which_permission_they_lack_and_who_gives_it(calling: Caller, draft: Order) -> None:
    place_order(order=draft)
    support = calling(make_staff("orders.view_order"))
    refused = support.post(f"/api/v1/orders/{draft.reference}/approval/")
    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "This needs the permission “Can approve orders” (orders.approve_order). "
        "An administrator can grant it, under Users in the admin."
    )


def test_schema_is_generated_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Client().get("/api/schema/", headers={"Accept": "application/json"})
    assert "max-age=300" in first["Cache-Control"]
    monkeypatch.setattr("drf_spectacular.views.SpectacularAPIView.get", lambda *args, **options: pytest.fail("again"))
    again = Client().get("/api/schema/", headers={"Accept": "application/json"})
    assert again.content == first.content
    assert again.json()["openapi"].startswith("3.")


def test_made_up_forwarded_address_does_not_escape_the_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rest_framework.throttling.UserRateThrottle.THROTTLE_RATES", {"user": "2/min"})
    answers = [
        Client().get("/api/schema/", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code for number in range(3)
    ]
    assert answers == [200, 200, 429]


@pytest.mark.parametrize(
    "path",
    [
        "customers",
        "products",
        "releases",
        "plans",
        "orders",
        "servers",
        "services",
        "monitors",
        "incidents",
        "subscriptions",
        "invoices",
        "payments",
        "webhooks",
    ],
)
def test_list_issues_as_many_queries_for_many_rows_as_for_one(operator: APIClient, order: Order, path: str) -> None:
    operator.get(f"/api/v1/{path}/")  # notes the use of the token
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(f"/api/v1/{path}/").json()["results"]
        counts.append(len(queries))
        for n in range(3):
            furnish(make_draft(name=f"maps {n}"))
    assert counts[0] == counts[1] <= 6


def test_schema_is_valid_and_names_everything(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
    text = (tmp_path / "schema.yaml").read_text()
    for path in ("/api/v1/orders/{reference}/approval/", "Idempotency-Key", PROBLEM, "bearer"):
        assert path in text


def test_schema_and_its_pages_are_published_without_foreign_scripts() -> None:
    assert Client().get("/api/schema/").status_code == 200
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    assert "http://" not in page.content.decode().replace(settings.SITE_URL, "")
    assert "https://" not in page.content.decode()


def test_customer_sees_itself_and_not_the_notes_of_staff(owner: APIClient, customer: Customer) -> None:
    CustomerFactory()
    Customer.objects.update(notes="pays late")
    (row,) = owner.get("/api/v1/customers/").json()["results"]
    assert row["number"] == customer.number
    assert row["addresses"][0]["city"] == "Bennekom"
    assert "pays late" not in str(row)
    assert owner.get(f"/api/v1/customers/{customer.number}/").json() == row


def test_catalogue_shows_what_is_on_sale(owner: APIClient, operator: APIClient, draft: Order) -> None:
    plan, release = draft.plan, draft.release
    (row,) = owner.get(f"/api/v1/plans/?product={release.product.slug}").json()["results"]
    assert (row["slug"], row["setup_fee"]) == ("small", {"amount": "0.00", "currency": "EUR"})
    shown = owner.get(f"/api/v1/releases/{release.pk}/").json()
    assert shown["endpoints"][0]["name"] == "wms"
    assert "secrets" not in shown
    assert "compose" not in shown
    type(plan).objects.update(state="retired")
    assert owner.get("/api/v1/plans/").json()["results"] == []
    assert len(operator.get("/api/v1/plans/").json()["results"]) == 1


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000, "{", "\x00", '{"name": NaN}'])
def test_body_that_cannot_be_read_is_the_callers_mistake(operator: APIClient, body: str) -> None:
    answer = operator.post("/api/v1/orders/", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
