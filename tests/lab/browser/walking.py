"""A member on the way through the portal, with a picture of each station."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.core import mail
from playwright.sync_api import Page, expect

from orders.choices import State
from orders.models import Order
from products.models import Plan, Product, Release, ReleaseBundle

DriveUntil = Callable[[Callable[[], bool], float], None]


@dataclass
class Walk:
    """A page, the worker behind it, and the order that it is about."""

    page: Page
    drive_until: DriveUntil
    pictures: Path
    reference: str = ""
    _taken: int = field(default=0, init=False)

    @property
    def order(self) -> Order:
        """The order as it is now."""
        return Order.objects.get(reference=self.reference)

    def picture(self, name: str) -> None:
        """The page as it is once it is there, from top to bottom; it may not be wider than the window."""
        self._taken += 1
        self.page.wait_for_load_state()
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
        self.page.screenshot(path=self.pictures / f"{self._taken:02}-{name}.png", full_page=True)

    def open_order(self) -> None:
        """The page of the order."""
        self.page.goto(f"/orders/{self.reference}/")

    def click(self, name: str) -> None:
        """A button by what it says."""
        self.page.get_by_role("button", name=re.compile(name)).first.click()

    def follow(self, name: str) -> None:
        """A link by what it says; the page it leads to is there afterwards."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=re.compile(name)).first.click()

    def sees(self, text: str) -> None:
        """The page shows the text, if not now then soon."""
        expect(self.page.get_by_text(re.compile(text)).first).to_be_visible()

    def reaches(self, state: State, seconds: float = 90) -> None:
        """Workers bring the order there, with nothing of a change left over."""
        self.drive_until(
            lambda: Order.objects.filter(reference=self.reference, state=state, is_changing=False).exists(), seconds
        )

    def downloads(self, name: str) -> str:
        """What the file behind a link is called."""
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=re.compile(name)).first.click()
        return download.value.suggested_filename

    def mailed(self, address: str, pattern: str) -> str:
        """What a mail to the address contains, once it has been sent."""

        def newest() -> re.Match[str] | None:
            texts = [str(letter.body) for letter in mail.outbox if address in letter.to]
            return next((found for text in reversed(texts) if (found := re.search(pattern, text, re.M))), None)

        self.drive_until(lambda: newest() is not None, 60)
        found = newest()
        assert found is not None
        return found[1]


def pictures_in(tmp_path: Path, name: str) -> Path:
    """Where the pictures of a walk go: the folder in JOURNEY_PICTURES, or nowhere that lasts."""
    folder = Path(os.environ.get("JOURNEY_PICTURES", tmp_path)) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def offer_more() -> None:
    """The sample product has another version and another shared plan."""
    product = Product.objects.get(slug="sdi-lite")
    first = product.present_release
    assert first is not None
    release = Release.objects.create(
        product=product,
        version="v2",
        digest="2" * 64,
        manifest=first.manifest,
        compose=first.compose.replace("TITLE: ${TITLE}", "TITLE: ${TITLE}\n      THEME: plain", 1),
    )
    ReleaseBundle.objects.create(release=release, archive=first.bundle.archive)
    Product.objects.filter(pk=product.pk).update(present_release=release)
    small = Plan.objects.get(product=product, slug="small")
    small.pk, small.slug, small.name, small.price = None, "medium", "Medium", 79
    small.ram_gb = 2
    small.save(force_insert=True)
