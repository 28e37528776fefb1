"""The tutorial, followed as a newcomer would: every file, every command, every answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migrated_database import begin_migrated

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/write-a-product.md").read_text()
BLOCK = re.compile(r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^```(?P<kind>[\w-]+)\n(?P<text>.*?)^```$", re.M | re.S)
MARK = "--- answer ---"
PAGES = """
import json
from django.test import Client
from customers.models import User
from products.models import Product
client = Client()
client.force_login(User.objects.get(username="admin"))
product = Product.objects.get(slug="hello-map")
urls = [f"/admin/products/product/{product.pk}/change/", "/orders/new/hello-map/"]
print(json.dumps({url: client.get(url, HTTP_HOST="127.0.0.1").content.decode() for url in urls}))
"""


def blocks() -> Iterator[tuple[str, str, str]]:
    """(kind, path, text) of every block of the page."""
    for found in BLOCK.finditer(PAGE):
        yield found["kind"], found["path"] or "", found["text"]


def environment(folder: Path) -> dict[str, str]:
    """A database and files of its own."""
    return {
        **{name: value for name, value in os.environ.items() if name not in ("SITE_URL", "EMAIL_URL", "DATABASE_URL")},
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "DEBUG": "true",
        "VAR_DIR": str(folder / "var"),
        "DATABASE_URL": f"sqlite:///{folder / 'live.sqlite3'}",
        "EMAIL_URL": f"filemail:///{folder / 'mail'}",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }


def script() -> str:
    """The page as one shell script: files are written where it is, a mark comes before each command's answer."""
    lines = ["set -eu", "exec 2>&1"]
    for kind, path, text in blocks():
        if path:
            lines.append(f"cat >'{path}' <<'END-OF-FILE'\n{text}END-OF-FILE")
        elif kind == "sh":
            lines += [f"echo '{MARK}'", text.replace("/path/to/geocat-live", str(ROOT))]
    return "\n".join(lines)


def expected() -> list[str]:
    """The answer to each block of commands, empty where the page shows none."""
    answers: list[str] = []
    for kind, path, text in blocks():
        if kind == "sh" and not path:
            answers.append("")
        elif kind == "text":
            answers[-1] = text
    return answers


def matches(answer: str, wanted: str) -> bool:
    """True when each line that the page shows comes in the answer, in this order; … stands for anything."""
    rest = answer
    for line in wanted.splitlines():
        form = ".*".join(re.escape(part) for part in line.split("…"))
        found = re.search(f"^{form}$", rest, re.M)
        if not found:
            return False
        rest = rest[found.end() :]
    return True


def test_page_has_files_commands_and_answers() -> None:
    kinds = [kind for kind, _path, _text in blocks()]
    assert {"sh", "text", "yaml", "dockerfile"} <= set(kinds)
    assert len(expected()) == kinds.count("sh")


def test_tutorial_ends_with_an_order_in_the_sandbox(tmp_path: Path) -> None:
    begin_migrated(tmp_path / "live.sqlite3")
    variables = environment(tmp_path)
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "setup"], cwd=ROOT, env=variables, check=True, capture_output=True)
    run = subprocess.run(
        ["bash", "-c", script()], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=500, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:]
    answers = run.stdout.split(f"{MARK}\n")[1:]
    for answer, wanted in zip(answers, expected(), strict=True):
        assert matches(answer, wanted), f"expected:\n{wanted}\nanswered:\n{answer}"
    shown = subprocess.run(
        [*manage, "shell", "-v", "0", "-c", PAGES], cwd=ROOT, env=variables, check=True, capture_output=True, text=True
    )
    admin, portal = json.loads(shown.stdout.strip().splitlines()[-1]).values()
    for text in (
        "Hello Map",
        "<strong>an input</strong>",
        "Composition of Hello Map",
        "/product-icons/",
        "€9.00 / month",
    ):
        assert text in admin
    assert "<strong>a secret</strong>" in portal
    assert "Port 8080 leads to web: Page." in portal


@pytest.mark.parametrize(
    ("answer", "wanted", "fits"),
    [
        ("a\nb\nc\n", "a\nc\n", True),
        ("a /tmp/x/b c\n", "a …/b c\n", True),
        ("b\na\n", "a\nb\n", False),
        ("ab\n", "a\n", False),
        ("anything", "", True),
    ],
)
def test_answers_are_compared_line_by_line(answer: str, wanted: str, fits: bool) -> None:
    assert matches(answer, wanted) is fits
