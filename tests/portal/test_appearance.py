"""No page of somebody else's look can be reached, errors included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver

from customers.models import Customer, User
from live.accounts import urls as account_urls
from tests.factories import make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db

OURS = b"/static/portal/portal.css"


def routes(patterns: list[URLPattern | URLResolver], before: str = "/account/") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield before + str(pattern.pattern)


@pytest.mark.parametrize("route", sorted(set(routes(list(account_urls.urlpatterns)))))
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_every_page_around_signing_in_is_ours(
    route: str, is_signed_in: bool, client: Client, owner: User, sign_in: SignIn
) -> None:
    response = (sign_in(owner) if is_signed_in else client).get(route)
    assert response.status_code in (200, 302, 403, 404, 405, 410)
    if response.status_code != 302:
        assert OURS in response.content
        assert b"<script>" not in response.content
        assert b"style=" not in response.content


def test_error_pages_are_ours(client: Client, customer: Customer, onlooker: User, sign_in: SignIn) -> None:
    missing = client.get("/nothing/")
    assert (missing.status_code, b"Page not found" in missing.content) == (404, True)
    order = make_draft(customer=customer)
    refused = sign_in(onlooker).get(f"/orders/{order.reference}/removal/")
    assert (refused.status_code, b"You do not have permission" in refused.content) == (403, True)
    forged = Client(enforce_csrf_checks=True).post("/account/login/", {"email": "x@example.org"})
    assert (forged.status_code, b"Please try again" in forged.content) == (403, True)
    for _ in range(31):
        slow = client.post("/account/login/password/")
    assert (slow.status_code, b"Too many attempts" in slow.content) == (429, True)
    for page in (missing, refused, forged, slow):
        assert OURS in page.content


def test_a_failure_of_ours_is_admitted_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("live.portal.views.orders.viewer", fail)
    client.raise_request_exception = False
    client.force_login(User.objects.create(username="x", email="x@example.org"))
    page = client.get("/")
    assert (page.status_code, b"Something went wrong" in page.content) == (500, True)
