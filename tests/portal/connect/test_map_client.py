"""Requests to an order's own map service."""

from __future__ import annotations

import pytest
import requests
import responses

from core.errors import OutsideError, PermanentError, TransientError
from live.portal.connect import map_client
from live.portal.connect.map_client import MapClient

URL = "https://maps.example/wms"


@responses.activate
def test_the_body_and_its_type_come_back() -> None:
    responses.get(URL, body=b"\x89PNG", content_type="image/PNG; charset=binary")
    response = MapClient().get(URL)
    assert (response.content, response.media_type) == (b"\x89PNG", "image/png")


@responses.activate
@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_any_other_status_is_an_error_that_may_pass(status: int) -> None:
    responses.get(URL, status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(TransientError, match=str(status)):
        MapClient().get(URL)


@responses.activate
@pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.ReadTimeout(), requests.ConnectionError()])
def test_no_error_of_the_library_leaks(error: requests.RequestException) -> None:
    responses.get(URL, body=error)
    with pytest.raises(OutsideError, match="did not respond"):
        MapClient().get(URL)


@responses.activate
def test_a_response_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_client, "LARGEST", 100)
    responses.get(URL, body=b"x" * 101)
    with pytest.raises(PermanentError, match="too large"):
        MapClient().get(URL)


@pytest.mark.enable_socket  # an address of digits is resolved without a network
def test_cloud_metadata_is_never_requested() -> None:
    with pytest.raises(PermanentError, match="must not be requested"):
        MapClient().get("http://169.254.169.254/latest/meta-data/")
