"""What schemathesis checks of every answer besides the schema; loaded by the process that runs it."""

from __future__ import annotations

import os
from typing import Any

import schemathesis

FOREIGN = tuple(filter(None, os.environ.get("FOREIGN_TEXTS", "").split("\n")))


@schemathesis.check  # type: ignore[untyped-decorator,unused-ignore]
def shows_nothing_of_another_customer(ctx: Any, response: Any, case: Any) -> None:
    """No text of another customer is in the answer, unless the caller sent it."""
    sent = f"{response.request.url} {response.request.body!r}"
    for text in FOREIGN:
        assert text not in response.text or text in sent, f"The answer shows {text}, which belongs to another customer"


@schemathesis.check  # type: ignore[untyped-decorator,unused-ignore]
def every_error_is_a_problem_document(ctx: Any, response: Any, case: Any) -> None:
    """What is refused is refused in the one form of errors, with a code."""
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind == "application/problem+json", f"An error has the content type {kind}"
    assert response.json()["code"]
