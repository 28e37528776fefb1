"""A browser, a running site, and the demonstration's customer with the sample catalogue."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from customers.models import User
from live.demo.cast import CUSTOMER_EMAIL, assemble

DriveUntil = Callable[[Callable[[], bool], float], None]
OpenPage = Callable[..., Page]
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="package")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """Debian's Chromium without a window; its event loop ends with the tests of this folder."""
    program = shutil.which("chromium")
    assert program, "Install chromium: deploy/lab/up does"
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; Django would refuse its database there.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def drive_until(drive_until: DriveUntil) -> DriveUntil:
    """As in the lab, in a thread of its own: this one has Playwright's event loop."""

    def drive(holds: Callable[[], bool], seconds: float) -> None:
        try:
            drive_until(holds, seconds)
        finally:
            connections.close_all()

    def until(holds: Callable[[], bool], seconds: float) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(drive, holds, seconds).result()

    return until


@pytest.fixture
def site(
    browser: Browser,
    transactional_db: None,
    live_server: object,
    settings: LazySettings,
    socket_enabled: None,
    tmp_path: Path,
) -> str:
    """The address of the running site, with the sample catalogue on sale in a sandbox."""
    settings.SITE_URL = str(live_server)
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    cache.clear()  # allauth counts there how many codes an address has asked for in this minute
    call_command("catalogue", "sync", verbosity=0)
    assemble()
    return settings.SITE_URL


@pytest.fixture
def member(site: str) -> User:
    """The owner at the demonstration's customer."""
    return User.objects.get(email=CUSTOMER_EMAIL)


@pytest.fixture
def open_page(browser: Browser, site: str) -> Iterator[OpenPage]:
    """Opens a window of a size and in a colour scheme; its errors fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(size: str = "desktop", scheme: str = "light") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            base_url=site,
            accept_downloads=True,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def sign_in(page: Page, email: str = CUSTOMER_EMAIL) -> None:
    """Signed in with a code by e-mail, as a person would."""
    page.goto("/account/login/")
    page.locator("input[name=email]").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    page.locator("input[name=code]").fill(last_code())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/account/login/" not in url)


def last_code() -> str:
    """The code of the newest mail."""
    lines = str(mail.outbox[-1].body).splitlines()
    return next(line for line in lines if line.replace("-", "").isalnum() and line.upper() == line and len(line) > 5)
