"""Markdown of a catalogue's author becomes HTML that is safe in any page."""

from __future__ import annotations

import pytest

from products.pictures.description import render_description


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Two\nlines.\n\nAnother paragraph.", "<p>Two\nlines.</p>\n<p>Another paragraph.</p>\n"),
        ("**Fast** and _small_", "<p><strong>Fast</strong> and <em>small</em></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("# Title", "<h3>Title</h3>\n"),
        ("###### Small", "<h6>Small</h6>\n"),
        ("`docker`", "<p><code>docker</code></p>\n"),
        (
            "[docs](https://example.org/a?b=1)",
            '<p><a href="https://example.org/a?b=1" rel="nofollow noopener">docs</a></p>\n',
        ),
    ],
)
def test_markdown_is_rendered(text: str, html: str) -> None:
    assert render_description(text) == html


def test_table_is_rendered() -> None:
    html = render_description("| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<th>a</th>" in html
    assert "<td>2</td>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](JaVaScRiPt:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "[click](vbscript:x)",
        "![track](https://evil.example/pixel.png)",
        "<svg onload=alert(1)>",
        "<iframe src=//evil.example></iframe>",
        '[a](https://example.org "x" onmouseover="alert(1)")',
        "<style>body{display:none}</style>",
        "[a]: javascript:alert(1)\n\n[a]",
    ],
)
def test_nothing_runs_or_loads(text: str) -> None:
    html = render_description(text)
    assert not any(start in html for start in ("<script", "<img", "<svg", "<iframe", "<style"))
    assert 'href="javascript' not in html.lower()
    assert 'href="data' not in html
    assert "<a href" not in html or "onmouseover=" not in html.partition(">")[0]


def test_description_of_any_size_ends_quickly() -> None:
    assert len(render_description("*a " * 5000 + "[" * 2000)) > 10_000
