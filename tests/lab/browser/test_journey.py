"""From the mail that invites to the cancelled order, as a customer clicks it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core import mail
from playwright.sync_api import expect

from billing.models import InvoicePdf
from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import ApiToken, Invitation, Membership, User
from orders.choices import State
from orders.models import Order
from tests.lab.browser.conftest import OpenPage, last_code, sign_in
from tests.lab.browser.orders import active_order
from tests.lab.browser.walking import DriveUntil, Walk, offer_more, pictures_in

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

ANN = "ann@waterschap.example"
INSIDE_ITS_CARD = """() => [...document.querySelectorAll(".how-to pre")].every(
  (element) => element.getBoundingClientRect().right <= element.closest(".card").getBoundingClientRect().right)"""


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_person_is_invited_orders_uses_and_cancels(
    open_page: OpenPage, member: User, drive_until: DriveUntil, size: str, tmp_path: Path
) -> None:
    walk = Walk(page=open_page(size), drive_until=drive_until, pictures=pictures_in(tmp_path, size))
    accept_an_invitation(walk, member)
    choose_mail(walk)
    place_an_order(walk)
    connect(walk)
    offer_more()
    change_the_order(walk)
    suspend_and_resume(walk)
    invite_a_colleague(walk)
    make_a_token(walk)
    read_the_invoice(walk)
    cancel(walk)


def accept_an_invitation(walk: Walk, member: User) -> None:
    """From the link in the mail to a member who is signed in; the account is made on the way."""
    customer = member.memberships.get().customer
    invite_member(customer=customer, email=ANN, role=Role.OWNER, actor=member)
    walk.page.goto(walk.mailed(ANN, r"(\S+/account/invitations/\S+)"))
    walk.sees("You need no password")
    walk.picture("invitation")
    walk.click("Send me a code")
    walk.page.locator("input[name=code]").fill(last_code())
    walk.picture("code")
    walk.click("Sign in")
    walk.click("Accept the invitation")
    walk.sees(f"Welcome to {customer.name}")
    walk.picture("welcome")
    assert Membership.objects.get(user__email=ANN).role == Role.OWNER


def choose_mail(walk: Walk) -> None:
    """An owner gets mail about orders without asking for it, and switches off that about suspensions."""
    walk.follow("Notifications")
    walk.page.goto("/notifications/settings/")
    for kind in ("Order ready", "Order upgraded or changed", "Removal scheduled or done"):
        expect(walk.page.get_by_label(kind)).to_be_checked()
    walk.page.get_by_label("Order suspended").uncheck()
    walk.click("Save")
    walk.sees("Saved")
    walk.picture("mail-choice")
    expect(walk.page.get_by_label("Order ready")).to_be_checked()
    expect(walk.page.get_by_label("Order suspended")).not_to_be_checked()


def place_an_order(walk: Walk) -> None:
    """From the empty overview to services that run; the page follows by itself."""
    page = walk.page
    walk.follow("Orders")
    walk.picture("first-order")
    walk.follow("New order|Choose a product")
    walk.picture("products")
    walk.follow("SDI Lite")
    walk.picture("plans")
    walk.follow("^Choose ")
    page.get_by_label("Name", exact=True).fill("Polder maps")
    page.get_by_label(re.compile("Contact address")).fill(ANN)
    walk.picture("settings")
    walk.click("Continue to review")
    expect(page.get_by_role("heading", name="Review your order")).to_be_visible()
    walk.picture("review")
    walk.click("Place this order")
    walk.reference = Order.objects.get(name="Polder maps").reference
    walk.sees("Sandbox order")
    walk.picture("in-progress")
    walk.reaches(State.ACTIVE)
    expect(page.get_by_role("heading", name="Your services are running")).to_be_visible()
    assert walk.mailed(ANN, "(“Polder maps” is running)")


def connect(walk: Walk) -> None:
    """A file for QGIS, the map, and the password, which the page shows to whoever has just signed in."""
    assert walk.downloads("QGIS connection file for").endswith(".xml")
    expect(walk.page.locator("[data-map-picture]")).to_be_visible()
    for summary in walk.page.get_by_text("How to connect").all():
        summary.click()
    assert walk.page.evaluate(INSIDE_ITS_CARD), "the instructions are wider than their card"
    walk.picture("connect")
    walk.click("Reveal")
    expect(walk.page.get_by_text(walk.order.secrets.values["admin_password"])).to_be_visible()


def change_the_order(walk: Walk) -> None:
    """Another version, another plan, other settings: what differs is shown before anything is asked for."""
    walk.open_order()
    walk.sees("Version v2 is available")
    walk.follow("Upgrade to the current version")
    walk.sees("THEME")
    walk.picture("upgrade")
    walk.click("^Upgrade$")
    walk.sees("Your change has been requested")
    walk.picture("upgrading")
    walk.reaches(State.ACTIVE)
    assert walk.order.release.version == "v2"

    walk.open_order()
    walk.follow("Change plan")
    walk.picture("change-plan")
    walk.follow("Choose Medium")
    walk.sees("€79.00")
    walk.picture("change-plan-compared")
    walk.click("^Change plan$")
    walk.reaches(State.ACTIVE)
    assert walk.order.plan.slug == "medium"
    assert walk.mailed(ANN, "(Medium.* is complete)")


def suspend_and_resume(walk: Walk) -> None:
    """The services stop and start again."""
    walk.open_order()
    walk.click("Suspend services")
    walk.reaches(State.SUSPENDED)
    walk.page.reload()
    walk.picture("suspended")
    walk.click("Resume services")
    walk.reaches(State.ACTIVE)


def invite_a_colleague(walk: Walk) -> None:
    """A colleague is invited as technical member, and the invitation is withdrawn."""
    page = walk.page
    walk.follow("Customer")
    walk.follow("Team and invitations")
    page.get_by_label("E-mail", exact=True).fill("bob@waterschap.example")
    page.locator("form.card").get_by_label("Role", exact=True).select_option("technical")
    walk.click("Send invitation")
    walk.sees("bob@waterschap.example")
    walk.picture("team")
    walk.click("Revoke")
    invitation = Invitation.objects.get(email="bob@waterschap.example")
    assert (invitation.role, invitation.state) == ("technical", "revoked")


def make_a_token(walk: Walk) -> None:
    """A token for the API, which is shown once and works."""
    page = walk.page
    walk.follow("Profile")
    walk.picture("profile")
    walk.follow("API tokens")
    page.get_by_label("Name", exact=True).fill("Our register")
    page.get_by_role("checkbox").first.check()
    walk.click("Create token")
    walk.sees("Copy your new token now")
    walk.picture("token")
    text = page.locator(".note code").inner_text()
    answer = page.request.get("/api/v1/orders/", headers={"Authorization": f"Bearer {text}"})
    assert [order["reference"] for order in answer.json()["results"]] == [walk.reference]
    page.reload()  # which sends the form again
    walk.sees("You have a token of this name")
    expect(page.get_by_text(text)).to_have_count(0)
    assert ApiToken.objects.get(user__email=ANN).name == "Our register"


def read_the_invoice(walk: Walk) -> None:
    """What it costs, as a PDF."""
    walk.drive_until(lambda: InvoicePdf.objects.exclude(path="").exists(), 60)
    walk.follow("Invoices")
    walk.picture("invoices")
    assert walk.downloads("Download invoice .* as PDF").endswith(".pdf")


def cancel(walk: Walk) -> None:
    """The order ends, its page says why, and nobody is mailed what they did not want."""
    page = walk.page
    walk.open_order()
    walk.picture("before-the-end")
    walk.follow("Cancel this order")
    page.get_by_label(re.compile("to confirm")).fill(walk.reference)
    page.get_by_label(re.compile("Reason")).fill("The project is over")
    walk.picture("cancel")
    walk.click("Cancel order and delete data")
    walk.reaches(State.REMOVED)
    page.reload()
    expect(page.get_by_role("heading", name="This order has been removed")).to_be_visible()
    expect(page.get_by_text("The project is over")).to_be_visible()
    walk.picture("removed")
    assert walk.mailed(ANN, "(has been removed)")
    assert not [letter for letter in mail.outbox if ANN in letter.to and "suspended" in letter.subject]
    walk.follow("Notifications")
    walk.sees("Polder maps")
    walk.picture("notifications")
    walk.click("Sign out")


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
