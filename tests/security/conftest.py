"""What the tests of this folder share."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest


@pytest.fixture(autouse=True)
def _no_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that ask a map for its layers get no answer."""

    def fail(*_arguments: object, **_options: object) -> NoReturn:
        raise socket.gaierror("no such name")

    monkeypatch.setattr("socket.getaddrinfo", fail)
