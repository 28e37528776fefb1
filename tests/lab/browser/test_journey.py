"""From signing in to the cancelled order, as a customer clicks it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from billing.models import InvoicePdf
from customers.models import User
from orders.choices import State
from orders.models import Order
from tests.lab.browser.conftest import OpenPage, sign_in
from tests.lab.browser.orders import active_order

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

DriveUntil = Callable[[Callable[[], bool], float], None]


def is_in(state: State) -> bool:
    return Order.objects.filter(state=state).exists()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_member_orders_uses_and_cancels(
    open_page: OpenPage, member: User, drive_until: DriveUntil, size: str
) -> None:
    page = open_page(size)
    sign_in(page)
    page.get_by_role("link", name=re.compile("New order|Choose a product")).first.click()
    page.get_by_role("link", name="SDI Lite").click()
    page.get_by_role("link", name=re.compile("^Choose ")).first.click()
    page.get_by_label("Name", exact=True).fill("Polder maps")
    page.get_by_label(re.compile("Contact address")).fill(member.email)
    page.get_by_role("button", name="Continue to review").click()
    expect(page.get_by_role("heading", name="Review your order")).to_be_visible()
    page.get_by_role("button", name="Place this order").click()

    order = Order.objects.get(name="Polder maps")
    drive_until(lambda: is_in(State.ACTIVE), 90)
    # The page has followed by itself.
    expect(page.get_by_role("heading", name="Your services are running")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("QGIS connection file for")).first.click()
    assert download.value.suggested_filename.endswith(".xml")

    page.get_by_role("button", name="Reveal").click()
    password = order.secrets.values["admin_password"]
    expect(page.get_by_text(password)).to_be_visible()

    drive_until(lambda: InvoicePdf.objects.exclude(path="").exists(), 60)
    page.get_by_role("link", name="Invoices", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download invoice .* as PDF")).first.click()
    assert download.value.suggested_filename.endswith(".pdf")

    page.goto(f"/orders/{order.reference}/")
    page.get_by_role("button", name="Suspend services").click()
    drive_until(lambda: is_in(State.SUSPENDED), 60)
    page.reload()
    page.get_by_role("button", name="Resume services").click()
    drive_until(lambda: is_in(State.ACTIVE), 60)

    page.goto(f"/orders/{order.reference}/")
    page.get_by_role("link", name=re.compile("Cancel this order")).click()
    page.get_by_label(re.compile("to confirm")).fill(order.reference)
    page.get_by_label(re.compile("Reason")).fill("The project is over")
    page.get_by_role("button", name="Cancel order and delete data").click()
    drive_until(lambda: is_in(State.REMOVED), 90)
    page.reload()
    expect(page.get_by_role("heading", name="This order has been removed")).to_be_visible()
    expect(page.get_by_text("The project is over")).to_be_visible()


def test_a_map_of_the_order_is_shown_and_moved(open_page: OpenPage, member: User, drive_until: DriveUntil) -> None:
    order = active_order(member, drive_until)
    page = open_page()
    sign_in(page)
    page.goto(f"/orders/{order.reference}/")
    picture = page.locator("[data-map-picture]")
    expect(picture).to_be_visible()
    before = picture.get_attribute("src")
    page.get_by_role("button", name="Zoom in").click()
    expect(picture).not_to_have_attribute("src", before or "")
    picture.evaluate("(image) => image.decode()")  # fails for a picture that cannot be drawn
    expect(page.locator("[data-map-failed]")).to_be_hidden()
