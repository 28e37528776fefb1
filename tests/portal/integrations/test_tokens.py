"""API tokens in the portal: shown once, limited, revoked, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from core import clock
from customers.models import ApiToken, Customer, User
from customers.services import issue_token
from tests.factories import CustomerFactory
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db
HERE = "/tokens/"


def asked(**changes: object) -> dict[str, object]:
    """A filled-in form."""
    return {"name": "our register", "days": "90", "scopes": ["orders:read"], "customer": "", "networks": "", **changes}


def test_new_token_is_shown_once_and_works(owner: User, customer: Customer, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    page = browser.post(HERE, asked(customer=customer.pk, networks="127.0.0.0/8\n"))
    text = page.context["new_token"]
    token = ApiToken.objects.get()
    assert text in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert (token.user, token.scopes, token.customer, token.networks) == (
        *(owner, ["orders:read"], customer),
        ["127.0.0.0/8"],
    )
    assert token.expiry is not None
    assert abs(token.expiry - clock.now() - timedelta(days=90)) < timedelta(minutes=1)
    again = browser.get(HERE).content.decode()
    assert text not in again
    assert "our register" in again
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/orders/", headers=headers).status_code == 200
    assert Client().get("/api/v1/invoices/", headers=headers).status_code == 403


def test_page_that_is_sent_twice_makes_one_token(owner: User, stranger: User, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    assert browser.post(HERE, asked()).status_code == 200
    again = browser.post(HERE, asked())
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["name"])
    assert "You have a token of this name" in again.content.decode()
    assert sign_in(stranger).post(HERE, asked()).status_code == 200
    ApiToken.objects.update(expiry=clock.now() - timedelta(seconds=1))
    assert browser.post(HERE, asked()).status_code == 200
    assert ApiToken.objects.filter(user=owner).count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["x:read"]}, "scopes"),
        ({"scopes": ["whmcs:write"]}, "scopes"),
        ({"days": "4000"}, "days"),
        ({"networks": "office"}, "networks"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    owner: User, sign_in: SignIn, changes: dict[str, object], field: str
) -> None:
    page = sign_in(owner).post(HERE, asked(**changes))
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert not ApiToken.objects.exists()


def test_token_is_not_limited_to_a_customer_of_others(owner: User, sign_in: SignIn) -> None:
    page = sign_in(owner).post(HERE, asked(customer=CustomerFactory().pk))
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["customer"])


def test_tokens_of_others_are_neither_shown_nor_revoked(owner: User, stranger: User, sign_in: SignIn) -> None:
    token, _text = issue_token(user=owner, name="their register")
    browser = sign_in(stranger)
    assert "their register" not in browser.get(HERE).content.decode()
    assert browser.post(f"{HERE}{token.digest}/revocation/").status_code == 404
    assert browser.post(f"{HERE}made-up/revocation/").status_code == 404
    assert ApiToken.objects.exists()


def test_revoked_token_opens_nothing_any_more(owner: User, sign_in: SignIn) -> None:
    token, text = issue_token(user=owner, name="our register")
    browser = sign_in(owner)
    assert browser.get(f"{HERE}{token.digest}/revocation/").status_code == 405
    page = browser.post(f"{HERE}{token.digest}/revocation/", follow=True)
    assert "has been revoked" in page.content.decode()
    assert Client().get("/api/v1/orders/", headers={"Authorization": f"Bearer {text}"}).status_code == 401


def test_nobody_without_an_account_sees_the_page() -> None:
    assert Client().get(HERE).status_code == 302


def test_expired_token_says_so(owner: User, sign_in: SignIn) -> None:
    issue_token(user=owner, name="old")
    ApiToken.objects.update(expiry=clock.now() - timedelta(days=1))
    assert "Expired" in sign_in(owner).get(HERE).content.decode()
