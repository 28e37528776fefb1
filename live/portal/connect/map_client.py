"""Requests to an order's own map service, for the preview: bounded in time and size, never to cloud metadata."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from core.errors import PermanentError, TransientError
from core.outside.address_guard import EXCEPT_METADATA, AddressBlocked
from core.outside.guarded_requests import guarded_session

TIMEOUT = (3, 8)  # seconds to connect, and between two pieces of the response
LARGEST = 4 * 1024 * 1024
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MapResponse:
    """What the service sent."""

    content: bytes
    media_type: str


class MapClient:
    """Reads from the map service of an order, whose address may be private."""

    def get(self, url: str) -> MapResponse:
        """The response; raises an OutsideError when there is none, it is an error, or it is too large."""
        try:
            with guarded_session(EXCEPT_METADATA) as session, self._request(session, url) as response:
                if response.status_code != requests.codes.ok:
                    raise TransientError(f"The map service responded with {response.status_code}")
                media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return MapResponse(content=_body(response), media_type=media_type)
        except AddressBlocked as error:
            raise PermanentError("The address of the map service must not be requested") from error
        except requests.RequestException as error:
            raise TransientError(f"The map service did not respond ({type(error).__name__})") from error

    def _request(self, session: requests.Session, url: str) -> requests.Response:
        return session.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False)


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(PIECE):
        body += piece
        if len(body) > LARGEST:
            raise PermanentError("The response of the map service is too large")
    return bytes(body)


def get_map_client() -> MapClient:
    """The client for map services; tests replace it."""
    return MapClient()
