"""What a run asks of an outside part: how the machines reach it, what happens to it, and how it has to end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.lives import Life
from tests.chaos.proxy import Proxy


class NotOnStage(Exception):
    """The part is not to be had here; the message says why."""


class OutsidePart:
    """A part that nobody uses; each real one says what it needs of this."""

    environment: Mapping[str, str] = {}
    """What the machines need in their environment to reach it."""
    settings: Mapping[str, Any] = {}
    """The same for the process of the test, which asks as people do."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    def set_up(self) -> None:
        """Its rows are there; the tables are empty before, and the machines are not up yet."""

    def cast(self, order_fields: Sequence[dict[str, Any]]) -> None:
        """The fields of the orders that this part has to do with are as it wants them; no order is there yet.

        `releases` among them are those between which the order is upgraded, in place of the sandbox's.
        """

    def live_on(self, seconds: float, lives: Sequence[Life]) -> None:
        """At `seconds` of the run, what its people wish has been asked for."""

    def is_over(self) -> bool:
        """True once nothing more will be asked of it, and it is where it is wanted."""
        return True

    def problems(self) -> Iterator[str]:
        """What is not as it has to be at the end."""
        yield from ()

    @property
    def is_down(self) -> bool:
        """True while nobody can reach it."""
        return self.proxy.is_down

    @is_down.setter
    def is_down(self, is_down: bool) -> None:
        self.proxy.is_down = is_down

    @property
    def is_slow(self) -> bool:
        """True while it takes its time."""
        return self.proxy.is_slow

    @is_slow.setter
    def is_slow(self, is_slow: bool) -> None:
        self.proxy.is_slow = is_slow
