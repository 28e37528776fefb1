"""Addresses are read as browsers read them."""

from __future__ import annotations

import pytest

from core.outside.redirects import ascii_url, redirect_target


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("https://geo.example/wms?request=GetCapabilities", "https://geo.example/wms?request=GetCapabilities"),
        ("https://geo.example", "https://geo.example"),
        ("  https://geo.example/a\tb\n ", "https://geo.example/ab"),
        ("https://geo.example/two words", "https://geo.example/two%20words"),
        ("https://geo.example/already%20there", "https://geo.example/already%20there"),
        ("https://geo.example/straße?q=ü", "https://geo.example/stra%C3%9Fe?q=%C3%BC"),
        ("https://münchen.example:8443/x", "https://xn--mnchen-3ya.example:8443/x"),
        ("http://[2001:db8::1]:8080/wms", "http://[2001:db8::1]:8080/wms"),
        ("https://geo.example\\wms", "https://geo.example/wms"),
        ("https://geo.example/wms#layer", "https://geo.example/wms"),
        ("https://geo.example/\udcfc", "https://geo.example/%FC"),
    ],
)
def test_an_address_goes_over_the_wire_in_ascii(text: str, sent: str) -> None:
    assert ascii_url(text) == sent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "geo.example",
        "ftp://geo.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "http://x:port/",
    ],
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ascii_url(text)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://other.example/", "https://other.example/"),
        ("//other.example/a", "https://other.example/a"),
        ("/root", "https://geo.example/root"),
        ("next", "https://geo.example/deep/next"),
        ("../up", "https://geo.example/up"),
        ("?page=2", "https://geo.example/deep/wms?page=2"),
        ("\\\\other.example\\a", "https://other.example/a"),
    ],
)
def test_a_redirect_is_followed_from_where_it_was_given(location: str, target: str) -> None:
    assert redirect_target("https://geo.example/deep/wms", location) == target


def test_a_redirect_to_no_web_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not a web address"):
        redirect_target("https://geo.example/", "gopher://geo.example/")
