"""What every line of the log says beside its message: which request, which row, which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

NOTHING: Mapping[str, object] = MappingProxyType({})
_context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default=NOTHING)


def log_context() -> Mapping[str, object]:
    """What holds at this moment in this thread."""
    return _context.get()


@contextmanager
def logging_with(**fields: object) -> Iterator[None]:
    """Lines that are logged inside carry `fields`, besides those from further out."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)
