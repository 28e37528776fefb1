"""How one visit of a controller to a row ended: done, retry, or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Generic, Never, overload

from typing_extensions import TypeVar

from core.errors import OutsideError, TransientError

S = TypeVar("S", default=None)  # what a controller's outcomes carry besides the row's own fields
S_co = TypeVar("S_co", covariant=True, default=None)


class OutcomeKind(Enum):
    """How one visit to a row ended."""

    DONE = "done"
    RETRY = "later"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[S_co]):
    """What one visit achieved.

    `fields` are the row's own columns to write with it; `observed` is what `on_outcomes` needs to know besides;
    `customer_message` is what customers read instead of `message`.
    """

    kind: OutcomeKind
    message: str = ""
    retry_in: timedelta | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    observed: S_co | None = None
    customer_message: str = ""


@overload
def done(message: str = "", /, *, observed: S, **fields: object) -> Outcome[S]: ...


@overload
def done(message: str = "", /, **fields: object) -> Outcome[Never]: ...


def done(message: str = "", /, *, observed: Any = None, **fields: object) -> Outcome[Any]:
    """The row has reached its wanted state."""
    return Outcome(kind=OutcomeKind.DONE, message=message, fields=fields, observed=observed)


@overload
def retry(message: str, /, *, retry_in: timedelta | None = None, observed: S, **fields: object) -> Outcome[S]: ...


@overload
def retry(message: str, /, *, retry_in: timedelta | None = None, **fields: object) -> Outcome[Never]: ...


def retry(
    message: str, /, *, retry_in: timedelta | None = None, observed: Any = None, **fields: object
) -> Outcome[Any]:
    """Not yet; the next visit is in `retry_in`, or after a backoff that doubles each time."""
    return Outcome(kind=OutcomeKind.RETRY, message=message, retry_in=retry_in, fields=fields, observed=observed)


def failed(message: str, /, **fields: object) -> Outcome[Never]:
    """Not until staff have acted."""
    return Outcome(kind=OutcomeKind.FAILED, message=message, fields=fields)


def outcome_of(error: OutsideError) -> Outcome[Never]:
    """What a refusal by the outside means for the row: another try, or staff have to act."""
    return retry(str(error), retry_in=error.retry_in) if isinstance(error, TransientError) else failed(str(error))
