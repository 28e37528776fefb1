"""Forms of the admin have names for screen readers, and its pages keep their titles on a phone."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from playwright.sync_api import Page

from customers.models import User
from tests.lab.browser.conftest import OpenPage
from tests.lab.browser.orders import active_order
from tests.lab.browser.test_accessibility import findings
from tests.lab.browser.walking import DriveUntil

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

FORMS = (
    "customers/customer/add/",
    "customers/user/add/",
    "customers/apitoken/add/",
    "infrastructure/provider/add/",
    "monitoring/maintenance/add/",
    "orders/order/add/",
)
# What axe-core finds where a control, a button or a link has no name.
NAMES = (
    "aria-input-field-name",
    "aria-toggle-field-name",
    "button-name",
    "input-button-name",
    "label",
    "link-name",
    "select-name",
)


@pytest.fixture
def admin_page(open_page: OpenPage) -> Page:
    """A phone's window in which the chief of staff is signed in."""
    page = open_page("phone")
    client = Client()
    client.force_login(User.objects.create_superuser("chief", "chief@example.org", "x"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": settings.SITE_URL}])
    return page


def test_every_control_of_a_form_has_a_name(admin_page: Page) -> None:
    for path in FORMS:
        admin_page.goto(f"/admin/{path}")
        admin_page.wait_for_load_state("networkidle")
        for button in admin_page.locator(".add-row a:visible").all():
            button.click()
        nameless = [finding for finding in findings(admin_page) if finding.startswith(NAMES)]
        assert nameless == [], path


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("customers/customer/", "Customers"),
        ("customers/customer/add/", "Customers"),
        ("orders/order/", "Orders"),
        ("infrastructure/server/", "Servers"),
    ],
)
def test_page_shows_its_whole_name_on_a_phone(admin_page: Page, path: str, name: str) -> None:
    admin_page.goto(f"/admin/{path}")
    shown = admin_page.locator("#header-inner h1 > .tracking-tight:visible")
    assert [text.strip() for text in shown.all_inner_texts()] == [name]
    assert shown.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_no_page_of_a_row_is_wider_than_a_phone(admin_page: Page, member: User, drive_until: DriveUntil) -> None:
    active_order(member, drive_until)
    rows = [(model._meta, model._default_manager.first()) for model in admin.site._registry]
    pages = [f"/admin/{meta.app_label}/{meta.model_name}/{row.pk}/change/" for meta, row in rows if row is not None]
    assert {"customer", "product", "order", "server"} <= {meta.model_name for meta, row in rows if row is not None}
    wide = []
    for path in pages:
        admin_page.goto(path, wait_until="load")
        if not admin_page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            wide.append(path)
    assert wide == []
