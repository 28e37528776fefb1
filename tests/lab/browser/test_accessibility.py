"""No page of the portal has a serious finding of axe-core, and none is heavy or wider than a phone."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

from core import clock
from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import MailAddress, User
from customers.services import issue_token
from customers.webhooks.services import create_webhook
from tests.lab.browser.conftest import OpenPage, sign_in
from tests.lab.browser.orders import active_order, draft_order

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

HEAVIEST = 60_000  # bytes over the wire on a first view, without pictures
OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PAGES = (
    "/",
    "/orders/new/",
    "/orders/new/sdi-lite/",
    "/orders/new/sdi-lite/{plan}/",
    "/orders/{reference}/",
    "/orders/{reference}/removal/",
    "/orders/{reference}/plan/",
    "/orders/{reference}/settings/",
    "/orders/{reference}/secret-rotation/",
    "/orders/{reference}/reports/",
    "/invoices/",
    "/notifications/",
    "/notifications/{mail}/",
    "/notifications/settings/",
    "/customers/",
    "/customers/{number}/",
    "/customers/{number}/team/",
    "/customers/{number}/availability/",
    "/confirm/",
    "/profile/",
    "/tokens/",
    "/webhooks/",
    "/webhooks/{webhook}/",
    "/account/sessions/",
    "/account/two-factor/",
    "/account/two-factor/totp/activate/",
)


def findings(page: Page) -> list[str]:
    """The serious and critical findings, each with what it is about."""
    violations = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_page_is_accessible_and_fits(
    open_page: OpenPage, member: User, drive_until: Callable[..., None], size: str, scheme: str
) -> None:
    order = active_order(member, drive_until)
    values = {
        "reference": order.reference,
        "number": order.customer.number,
        "plan": order.plan.slug,
        "mail": order.customer.messages.latest("pk").pk,
        "webhook": create_webhook(name="Register", url="https://register.example/hook", customer=order.customer).pk,
    }
    issue_token(user=member, name="Our register")
    invite_member(customer=order.customer, email="ann@waterschap.example", role=Role.TECHNICAL, actor=member)
    page = open_page(size, scheme)
    assert_fine(page, "/account/login/")
    sign_in(page)
    for path in PAGES:
        assert_fine(page, path.format(**values))


NEW_CUSTOMER = (
    *("/", "/orders/new/", "/invoices/", "/notifications/", "/customers/{number}/availability/", "/webhooks/"),
    *("/orders/{draft}/", "/orders/{draft}/draft/", "/customers/{number}/team/", "/account/password/set/"),
)
"""Pages that look different before there is anything to show, with a draft, or with mail that does not arrive."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_page_of_a_new_customer_is_accessible_and_fits(
    open_page: OpenPage, member: User, size: str, scheme: str
) -> None:
    customer = member.memberships.get().customer
    page = open_page(size, scheme)
    sign_in(page)
    assert_fine(page, "/")
    customer.addresses.all().delete()
    MailAddress.objects.create(address=member.email.lower(), last_bounced_at=clock.now(), stopped_at=clock.now())
    draft = draft_order(member)
    for path in NEW_CUSTOMER:
        assert_fine(page, path.format(number=customer.number, draft=draft.reference))


def test_keyboard_reaches_every_control_and_shows_where_it_is(open_page: OpenPage, member: User) -> None:
    draft = draft_order(member)
    number = member.memberships.get().customer.number
    page = open_page()
    sign_in(page)
    for path in ("/", f"/orders/{draft.reference}/draft/", f"/customers/{number}/team/", "/notifications/settings/"):
        page.goto(path)
        expected = page.evaluate(CONTROLS)
        reached = []
        for _ in range(expected + 5):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUSED))
        controls = {entry["number"]: entry for entry in reached if entry}
        assert len(controls) == expected, path
        assert [entry["html"] for entry in controls.values() if not entry["is_marked"]] == [], path


CONTROLS = """() => {
  const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")];
  const usable = all.filter((element) => !element.disabled && element.getClientRects().length);
  usable.forEach((element, index) => { element.dataset.number = index; });
  return usable.length;
}"""
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element.dataset.number === undefined) { return null; }
  const style = getComputedStyle(element);
  return {
    number: element.dataset.number,
    html: element.outerHTML.slice(0, 120),
    is_marked: style.outlineStyle !== "none" || style.boxShadow !== "none",
  };
}"""


def assert_fine(page: Page, path: str) -> None:
    """The page has no serious finding and needs no sideways scrolling."""
    response = page.goto(path)
    assert response is not None
    assert response.status == 200, path
    page.wait_for_load_state("networkidle")
    assert findings(page) == [], path
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"


def test_a_first_view_is_light_and_does_not_jump(
    open_page: OpenPage, member: User, drive_until: Callable[..., None]
) -> None:
    order = active_order(member, drive_until)
    page = open_page()
    sign_in(page)
    for path in ("/", f"/orders/{order.reference}/"):
        weight, shift = first_view(page.context.new_page(), path)
        print(f"{path}: {weight} bytes, layout shift {shift:.3f}")  # noqa: T201  (a figure of the lab's report)
        assert weight < HEAVIEST
        assert shift < 0.1


def first_view(page: Page, path: str) -> tuple[int, float]:
    """The bytes of everything but pictures, compressed as they are served, and how much the page jumped."""
    bodies: list[bytes] = []

    def note(response: Response) -> None:
        if response.request.resource_type != "image":
            bodies.append(response.body())

    page.on("response", note)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    return sum(len(gzip.compress(body)) for body in bodies), float(page.evaluate(SHIFT))


SHIFT = """() => new Promise((resolve) => {
  let total = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { total += entry.value; }))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => resolve(total), 300);
})"""
