"""What a browser loads with its first page: files of the site, compressed as `manage.py setup` stores them."""

from __future__ import annotations

import gzip
import posixpath
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from fontTools.ttLib import TTFont

from customers.models import Membership
from deploy.fonts import subset
from tests.factories import MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

AT_MOST = 300 * 1024
IN_PAGES = re.compile(r'<(?:script|link|img)\b[^>]*?\b(?:src|href)="' + re.escape(settings.STATIC_URL) + r'([^"?#]+)')
IN_STYLES = re.compile(r"""url\(\s*["']?(?!data:|https?:|#)([^"')?#]+)""")
COMPRESSED = (".woff2", ".woff", ".png", ".jpg", ".webp")


def weights(page: str) -> dict[str, int]:
    """The bytes of every file that the page names, and that its styles name: fonts and pictures, needed or not."""
    found: dict[str, int] = {}
    names = set(IN_PAGES.findall(page))
    assert names
    while names:
        name = names.pop()
        path = finders.find(name)
        assert isinstance(path, str), name
        content = Path(path).read_bytes()
        found[name] = len(content if name.endswith(COMPRESSED) else gzip.compress(content, 9))
        if name.endswith(".css"):
            urls = IN_STYLES.findall(content.decode())
            names |= {posixpath.normpath(posixpath.join(posixpath.dirname(name), url)) for url in urls} - found.keys()
    return found


def heaviest(found: dict[str, int]) -> str:
    """For whoever has to make the page lighter."""
    total = sum(found.values())
    rows = sorted(found.items(), key=lambda item: -item[1])[:12]
    return f"{total / 1024:.0f} KiB in {len(found)} files: " + ", ".join(f"{name} {size}" for name, size in rows)


def test_first_page_of_the_admin_is_light(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    found = weights(client.get("/admin/").content.decode())
    assert sum(found.values()) <= AT_MOST, heaviest(found)


def test_first_pages_of_the_portal_are_light(client: Client) -> None:
    user = UserFactory()
    order = make_draft()
    MembershipFactory(user=user, customer=order.customer, role=Membership.Role.OWNER)
    client.force_login(user)
    for address in ("/", f"/orders/{order.reference}/"):
        found = weights(client.get(address).content.decode())
        assert sum(found.values()) <= AT_MOST, heaviest(found)


def test_every_icon_that_pages_name_is_in_the_font() -> None:
    """If one is missing: `python -m deploy.fonts.subset`."""
    wanted = subset.icons_wanted()
    assert {"add", "logout", "settings", "monitoring", "receipt_long"} <= wanted
    assert wanted <= subset.icons_in(TTFont(settings.BASE_DIR / "static" / subset.SYMBOLS))


@pytest.mark.parametrize("name", subset.INTER)
def test_names_of_european_customers_can_be_written(name: str) -> None:
    drawn = TTFont(settings.BASE_DIR / "static" / name).getBestCmap()
    assert [letter for letter in "Åßéłőžŷ €“”’–…·→≤≥" if ord(letter) not in drawn] == []


def test_a_font_of_ours_is_found_before_that_of_unfold() -> None:
    for name in (subset.SYMBOLS, *subset.INTER):
        assert finders.find(name) == str(settings.BASE_DIR / "static" / name)
