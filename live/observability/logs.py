"""Log lines that name their request and order, as text or as JSON (`LOG_FORMAT`)."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.log_context import log_context, logging_with

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
LINE_BREAKS = str.maketrans({"\n": "\\n", "\r": "\\r", "\x1b": "\\e"})


class ContextFilter(logging.Filter):
    """Adds the context of the moment to each record, as attributes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Nothing is filtered out."""
        for name, value in log_context().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class LineFormatter(logging.Formatter):
    """One line for each message: what somebody typed cannot make a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The context follows the message; a traceback follows on lines that begin with blanks."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        context = "".join(f" {name}={value}" for name, value in log_context().items())
        line = (self.formatMessage(record) + context).translate(LINE_BREAKS)
        if record.exc_info:
            line += "\n  " + self.formatException(record.exc_info).replace("\n", "\n  ")
        return line


class RequestIds:
    """Each request has an id: the one that the gateway gave it in `X-Request-ID`, or a new one; it is answered, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        with logging_with(request=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response
