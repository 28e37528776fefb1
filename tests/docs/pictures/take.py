"""Starts a demonstration, opens each page in Chromium, and writes what it sees to docs/pictures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django
from playwright.sync_api import Browser, Page, sync_playwright

from tests.docs.pictures.demonstration import ROOT, demonstration, environment_in

if TYPE_CHECKING:
    from customers.models import User

PICTURES = ROOT / "docs" / "pictures"
WIDTH, PHONE = 1440, 390
DEBTOR = "lia@debtor.example"  # a member of the customer with an overdue invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page as somebody sees it; with no height, all of it."""

    name: str
    path: str
    by: str = "staff"
    height: int | None = 1000
    width: int = WIDTH
    scheme: str = "light"
    act: Callable[[Page], None] = lambda page: None


def scroll_to(text: str) -> Callable[[Page], None]:
    """The heading with this text is at the top."""

    def act(page: Page) -> None:
        heading = page.locator("h2, h3", has_text=text).first
        heading.evaluate("element => { element.scrollIntoView(); window.scrollBy(0, -90); }")

    return act


def upload(file: Path) -> Callable[[Page], None]:
    """The file is given to the form, whose answer is shown."""

    def act(page: Page) -> None:
        page.set_input_files("input[type=file]", file)
        page.locator("form[enctype] button[type=submit]").click()
        page.wait_for_load_state()

    return act


def show_changes(page: Page) -> None:
    """The newest release is chosen, and its difference is shown."""
    page.get_by_role("button", name="Show what changes").click()
    page.wait_for_load_state("networkidle")


def show_how_to_connect(page: Page) -> None:
    """Where to connect, with the instructions for the map service."""
    page.locator("details", has_text="How to connect").nth(0).locator("summary").first.click()
    scroll_to("Where to connect")(page)


def open_details(page: Page) -> None:
    """Everything that can be opened is open."""
    for summary in page.locator("main details > summary").all():
        summary.click()


def list_pictures(folder: Path) -> list[Picture]:
    """What is taken; the demonstration's database is completed for it."""
    from billing.models import Invoice
    from core import clock
    from customers.models import Customer, User
    from customers.services import admit_user
    from live.demo.cast import CUSTOMER_EMAIL, STAFF_NAME
    from monitoring.status_pages.services import renew_link
    from orders.models import Order
    from tests.docs.pictures.scenes import (
        invite,
        issue_tokens,
        lose_server,
        make_due,
        release_next,
        statement,
        webhook_of,
    )

    staff, member = User.objects.get(username=STAFF_NAME), User.objects.get(email=CUSTOMER_EMAIL)
    customer = member.memberships.get().customer
    invite(customer, staff)
    issue_tokens(member, customer)
    webhook = webhook_of(customer)
    order = Order.objects.filter(customer=customer, state="active").earliest("pk")
    measured = Order.objects.get(name="Open data")
    laagland = Customer.objects.get(name="Provincie Laagland")
    overdue = Invoice.objects.overdue(clock.today()).earliest("pk")
    admit_user(customer=overdue.customer, email=DEBTOR, name="Lia Smit")
    shared = Order.objects.get(name="Zoning plans")
    token = renew_link(customer=laagland).token
    month = measured.monthly_reports.latest("month").month
    bank_file = statement(folder, overdue)
    lose_server(Order.objects.get(name="Water levels"))
    make_due(Order.objects.get(name="Former viewer"))
    release_next(folder)
    admin, portal = "/admin", f"/orders/{order.reference}"
    upgrade = f"{admin}/orders/order/{shared.pk}/upgrade/"
    return [
        Picture(name="dashboard", path=f"{admin}/"),
        Picture(name="order", path=f"{admin}/orders/order/{order.pk}/change/"),
        Picture(name="availability", path=f"{admin}/orders/order/{measured.pk}/change/", act=scroll_to("Availability")),
        Picture(name="upgrade", path=upgrade, height=None, act=show_changes),
        Picture(name="upgrade-phone", path=upgrade, height=None, width=PHONE, scheme="dark", act=show_changes),
        Picture(name="customer", path=f"{admin}/customers/customer/{customer.pk}/change/"),
        Picture(name="services", path=f"{admin}/infrastructure/service/"),
        Picture(name="drift", path=f"{admin}/infrastructure/driftfinding/", height=800),
        Picture(name="resize", path=f"{admin}/infrastructure/server/{shared.server.pk}/resize/", height=700),
        Picture(name="billing-invoice", path=f"{admin}/billing/invoice/{overdue.pk}/change/", height=1400),
        Picture(name="billing-reports", path=f"{admin}/billing/invoice/reports/", height=None),
        Picture(name="billing-run", path=f"{admin}/billing/billingrun/start", height=700),
        Picture(
            name="billing-import", path=f"{admin}/billing/banktransaction/import/", height=700, act=upload(bank_file)
        ),
        Picture(name="whmcs-customers", path=f"{admin}/customers/customer/?q=whmcs.example", height=800),
        Picture(name="whmcs-syncs", path=f"{admin}/customers/whmcssync/", height=800),
        Picture(name="portal", path=f"{portal}/", by="member", height=1100),
        Picture(name="portal-overview", path="/", by="debtor", height=800),
        Picture(name="portal-catalogue", path="/orders/new/", by="member", height=700),
        Picture(name="portal-new-order", path="/orders/new/sdi-lite/small/", by="member", height=900),
        Picture(name="portal-connect", path=f"{portal}/", by="member", act=show_how_to_connect),
        Picture(name="portal-invoices", path="/invoices/", by="debtor", height=800),
        Picture(name="portal-notifications", path="/notifications/", by="debtor", height=800),
        Picture(name="portal-tokens", path="/tokens/", by="member"),
        Picture(
            name="composition", path="/orders/new/geonetwork-geoserver/", by="member", height=None, act=open_details
        ),
        Picture(name="team", path=f"/customers/{customer.number}/team/", by="member"),
        Picture(name="webhook", path=f"/webhooks/{webhook.pk}/", by="member", height=None),
        Picture(name="report", path=f"/orders/{measured.reference}/reports/{month:%Y-%m}/"),
        Picture(name="status", path=f"/status/{token}/", by="nobody"),
    ]


def session_of(user: User) -> dict[str, str]:
    """The cookies of somebody who has signed in."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {name: morsel.value for name, morsel in client.cookies.items()}


def take(browser: Browser, site: str, picture: Picture, cookies: Mapping[str, str]) -> None:
    """The picture is written; raises RuntimeError for a page that is not there or too wide."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height or 900},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        timezone_id="Europe/Amsterdam",
    )
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
    page = context.new_page()
    answer = page.goto(site + picture.path)
    if answer is None or answer.status != 200 or "/login/" in page.url:
        raise RuntimeError(f"{picture.name}: {page.url} answered {answer.status if answer else 'nothing'}")
    page.wait_for_load_state("networkidle")
    picture.act(page)
    page.wait_for_timeout(600)
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        raise RuntimeError(f"{picture.name}: the page is wider than {picture.width} pixels")
    page.screenshot(path=PICTURES / f"{picture.name}.png", full_page=picture.height is None)
    context.close()


def take_invoice(folder: Path) -> None:
    """The first page of an issued invoice, from its PDF."""
    from django.core.files.storage import default_storage

    from billing.models import Invoice

    invoice = Invoice.objects.filter(customer__name="Gemeente Heuvelrand").earliest("pk")
    pdf = default_storage.path(invoice.pdf.path)
    subprocess.run(
        ["pdftoppm", "-png", "-r", "80", "-f", "1", "-l", "1", "-singlefile", pdf, folder / "invoice"], check=True
    )
    shutil.copy(folder / "invoice.png", PICTURES / "invoice.png")


def main(names: list[str]) -> None:
    """The pictures of these names are taken, or all."""
    program = shutil.which("chromium")
    if program is None or shutil.which("pdftoppm") is None:
        sys.exit("Install chromium and poppler-utils first; on Debian deploy/lab/up does.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= environment_in(folder)
        with demonstration(folder, environment_in(folder)) as site:
            django.setup()
            pictures = list_pictures(folder)
            take_invoice(folder)
            take_all(program, site, [picture for picture in pictures if not names or picture.name in names])


def take_all(program: str, site: str, pictures: list[Picture]) -> None:
    """Each picture is taken by whoever sees it."""
    from customers.models import User
    from live.demo.cast import CUSTOMER_EMAIL, STAFF_NAME

    cookies = {
        "staff": session_of(User.objects.get(username=STAFF_NAME)),
        "member": session_of(User.objects.get(email=CUSTOMER_EMAIL)),
        "debtor": session_of(User.objects.get(email=DEBTOR)),
        "nobody": {},
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for picture in pictures:
            take(browser, site, picture, cookies[picture.by])
            print(f"docs/pictures/{picture.name}.png")  # noqa: T201
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
