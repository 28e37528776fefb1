"""Asks web addresses whether they answer as promised, many at a time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError as BodyError
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

from core.outside.http_line import Deadline, Line

MAX_BODY = 1024 * 1024
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """What is asked of one address."""

    url: str
    status: int = 200
    contains: str = ""
    max_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResult:
    """What the address answered; `ok` is true only if every promise held."""

    ok: bool
    message: str
    status: int | None = None
    seconds: float = 0.0


class _BrokenPromise(Exception):
    """What to tell people, and the status if there was one."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class _TooLate(_BrokenPromise):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"did not answer within {seconds:g} s")


def check_all(checks: Sequence[HttpCheck], *, workers: int = 200) -> list[HttpResult]:
    """One result per check, in the same order; none raises.

    `max_seconds` bounds connecting, the secure handshake, headers, redirects and the body together, however slowly they
    drip in. Only name servers, and a name with several silent addresses, may take longer.
    """
    if not checks:
        return []
    with ThreadPoolExecutor(max_workers=min(workers, len(checks)), thread_name_prefix="http-check") as pool:
        return list(pool.map(_check, checks))


def _check(check: HttpCheck) -> HttpResult:
    started = time.monotonic()
    ok, message, status = False, "", None
    try:
        status = _ask(check, until=started + check.max_seconds)
        ok, message = True, f"answered {status}"
    except _BrokenPromise as error:
        message, status = str(error), error.status
    return HttpResult(ok=ok, message=message, status=status, seconds=round(time.monotonic() - started, 3))


def _ask(check: HttpCheck, *, until: float) -> int:
    # A session of its own per check: cookies of one address are no business of another's.
    with requests.Session() as session:
        session.trust_env = False
        line = Line()
        session.mount("http://", line)
        session.mount("https://", line)
        session.headers.update({"User-Agent": "geocat-live-check", "Accept-Encoding": "identity"})
        with Deadline(until) as line.deadline:
            try:
                with _follow(session, check, until=until) as response:
                    return _judge(check, response, until=until)
            except (requests.RequestException, BodyError, OSError, ValueError) as error:
                raise _in_words(error, check, late=line.deadline.has_passed) from error


def _follow(session: requests.Session, check: HttpCheck, *, until: float) -> requests.Response:
    """The last answer of a chain of redirects; requests itself would read each redirect's body without bound."""
    url = check.url
    for _ in range(MAX_REDIRECTS + 1):
        timeout = _remaining(until, check)
        response = session.get(url, timeout=timeout, stream=True, allow_redirects=False)
        if response.status_code == check.status or not response.is_redirect:
            return response
        url = urljoin(url, response.headers["location"])
        response.close()
    raise _BrokenPromise(f"redirected more than {MAX_REDIRECTS} times", status=response.status_code)


def _remaining(until: float, check: HttpCheck) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _TooLate(check.max_seconds)
    return left


def _judge(check: HttpCheck, response: requests.Response, *, until: float) -> int:
    status = response.status_code
    if status != check.status:
        raise _BrokenPromise(f"answered {status} instead of {check.status}", status=status)
    body = _read(check, response, until=until)
    if check.contains and check.contains.encode() not in body:
        raise _BrokenPromise(f"answer does not contain '{check.contains}'", status=status)
    return status


def _read(check: HttpCheck, response: requests.Response, *, until: float) -> bytes:
    body = b""
    # read1 returns what has arrived; read and iter_content would wait for a slow drip to fill their buffer.
    while len(body) < MAX_BODY and (part := response.raw.read1(MAX_BODY - len(body), decode_content=True)):
        body += part
        _remaining(until, check)
    _remaining(until, check)  # who is cut off at the deadline looks like who has nothing more to say
    return body


def _in_words(error: Exception, check: HttpCheck, *, late: bool) -> _BrokenPromise:
    """What people can do something with; the vendors' own texts name pools and objects."""
    causes = list(_causes(error))
    if late or any(isinstance(cause, requests.Timeout | ReadTimeoutError | TimeoutError) for cause in causes):
        return _TooLate(check.max_seconds)
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return _BrokenPromise(f"certificate is not valid: {cause.verify_message}")
            case ssl.SSLError():
                return _BrokenPromise(f"no secure connection: {cause.reason or cause}")
            case ConnectionRefusedError():
                return _BrokenPromise("connection refused")
            case NameResolutionError():
                return _BrokenPromise("name is not known")
            case ValueError():
                return _BrokenPromise("not a web address")
    return _BrokenPromise("connection broke off before the answer was complete")


def _causes(error: BaseException) -> list[BaseException]:
    """The exception, and each one wrapped in it: by chain, by argument, or as urllib3's `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return found
