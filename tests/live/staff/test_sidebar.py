"""The admin's sidebar: every list once, under the name of its rows, for those who may see them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Permission
from django.http import HttpRequest
from django.test import Client, RequestFactory

from customers.models import User
from live.staff.sidebar import sidebar
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
REPORTS = "/admin/billing/invoice/reports/"


@pytest.fixture
def request_of_staff(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/admin/")
    request.user = UserFactory(is_staff=True)
    return request


def lists(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """The items that are lists of rows, by address."""
    return {str(item["link"]): item for group in sidebar(request)[1:] for item in group["items"]}


def test_a_list_has_the_name_of_its_rows_unless_it_is_given_another(request_of_staff: HttpRequest) -> None:
    titles = {address: str(item["title"]) for address, item in lists(request_of_staff).items()}
    assert titles["/admin/orders/order/"] == "Orders"
    assert titles["/admin/customers/apitoken/"] == "API tokens"
    assert titles["/admin/infrastructure/driftfinding/"] == "Drift"
    assert titles["/admin/django_q/ormq/"] == "Queue"


def test_no_list_is_there_twice(request_of_staff: HttpRequest) -> None:
    items = [item for group in sidebar(request_of_staff)[1:] for item in group["items"]]
    assert len(items) == len(lists(request_of_staff)) > 40
    assert len({str(item["title"]) for item in items}) == len(items)


def test_every_list_of_the_sidebar_is_registered(request_of_staff: HttpRequest) -> None:
    registered = {f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry}
    assert lists(request_of_staff).keys() - {REPORTS} <= registered


def test_only_lists_that_the_person_may_see_are_offered(request_of_staff: HttpRequest) -> None:
    found = Permission.objects.get(content_type__app_label="orders", codename="view_order")
    changed = Permission.objects.get(content_type__app_label="products", codename="change_plan")
    request_of_staff.user.user_permissions.add(found, changed)  # type: ignore[union-attr]
    offered = {address for address, item in lists(request_of_staff).items() if item["permission"](request_of_staff)}
    assert offered == {"/admin/orders/order/", "/admin/products/plan/"}


def test_reports_are_offered_to_those_who_may_open_them(client: Client, request_of_staff: HttpRequest) -> None:
    user = request_of_staff.user
    report = lists(request_of_staff)[REPORTS]
    user.user_permissions.add(Permission.objects.get(codename="view_invoice"))  # type: ignore[union-attr]
    assert not report["permission"](request_of_staff)
    client.force_login(user)  # type: ignore[arg-type]
    assert client.get(REPORTS).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_payment"))  # type: ignore[union-attr]
    request_of_staff.user = User.objects.get(pk=user.pk)  # with its permissions read anew
    assert report["permission"](request_of_staff)
    page = client.get(REPORTS)
    assert page.status_code == 200
    assert f'href="{REPORTS}"' in page.content.decode()


def test_who_is_not_signed_in_is_offered_nothing(request_of_staff: HttpRequest) -> None:
    request_of_staff.user = AnonymousUser()
    assert not any(item["permission"](request_of_staff) for item in lists(request_of_staff).values())


def test_groups_of_the_sidebar_are_closed_until_they_are_opened(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get("/admin/customers/customer/")
    _home, *groups = page.context["sidebar_navigation"]
    assert all(group["collapsible"] for group in groups)
    opened = [group for group in groups if any(item["active"] for item in group["items"])]
    assert [str(group["title"]) for group in opened] == ["Customers"]
    assert page.content.decode().count("navigationOpen: true") <= 1
