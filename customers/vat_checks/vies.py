"""VIES, the European Commission's register of VAT ids, over its REST API. Knows no Django.

https://ec.europa.eu/taxation_customs/vies/#/technical-information: POST `check-vat-number`; failures come as
`errorWrappers` with a code, at any HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import requests

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from core.outside.connection_errors import connection_failure

TIMEOUT = (5.0, 20.0)
# The prefixes that VIES answers for: the member states, Greece as EL, and Northern Ireland.
PREFIXES = frozenset(
    "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split()  # noqa: SIM905
)
BUSY = {
    "GLOBAL_MAX_CONCURRENT_REQ": timedelta(seconds=30),
    "GLOBAL_MAX_CONCURRENT_REQ_TIME": timedelta(seconds=30),
    "MS_MAX_CONCURRENT_REQ": timedelta(minutes=1),
    "MS_MAX_CONCURRENT_REQ_TIME": timedelta(minutes=1),
    "SERVICE_UNAVAILABLE": timedelta(minutes=15),
    "MS_UNAVAILABLE": timedelta(minutes=30),  # member states close their registers at night
    "TIMEOUT": timedelta(minutes=5),
}
OUR_MISTAKE = frozenset({"INVALID_REQUESTER_INFO", "VAT_BLOCKED", "IP_BLOCKED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ViesAnswer:
    """What VIES says of a VAT id; `consultation_number` proves the question, if the requester was named."""

    is_valid: bool
    consultation_number: str = ""
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vies:
    """Asks VIES in the name of `requester`, a VAT id of our own; raises OutsideError."""

    url: str
    requester: str = ""
    timeout: tuple[float, float] = TIMEOUT

    @timed_call(OutsideSystem.VIES)
    def check(self, vat_id: str) -> ViesAnswer:
        """Whether `vat_id`, prefix included, is in use today."""
        body = {"countryCode": vat_id[:2], "vatNumber": vat_id[2:]}
        if self.requester:
            body |= {"requesterMemberStateCode": self.requester[:2], "requesterNumber": self.requester[2:]}
        try:
            response = requests.post(
                f"{self.url.rstrip('/')}/check-vat-number", json=body, timeout=self.timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise TransientError(connection_failure("VIES", error)) from error
        try:
            answer = response.json()
        except ValueError:
            answer = None
        return _read(response.status_code, answer)


def _read(status: int, answer: Any) -> ViesAnswer:
    if isinstance(answer, Mapping) and (code := _error_code(answer)):
        raise _error(code)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT) or status >= 500:
        raise TransientError(f"VIES answered {status}")
    if status != HTTPStatus.OK:
        raise PermanentError(f"VIES answered {status}")
    if not isinstance(answer, Mapping) or not isinstance(answer.get("valid"), bool):
        raise TransientError("VIES gave an answer that is not one: no “valid” in it")
    return ViesAnswer(
        is_valid=answer["valid"],
        consultation_number=_text(answer.get("requestIdentifier")),
        name=_text(answer.get("name")),
        address=_text(answer.get("address")),
    )


def _error_code(answer: Mapping[str, Any]) -> str:
    wrappers = answer.get("errorWrappers")
    first = wrappers[0] if isinstance(wrappers, list) and wrappers else None
    return _text(first.get("error")).upper() if isinstance(first, Mapping) else ""


def _error(code: str) -> OutsideError:
    if code in BUSY:
        return TransientError(f"VIES cannot answer now ({code})", retry_in=BUSY[code])
    if code in OUR_MISTAKE:
        return ConfigError(f"VIES refuses our questions ({code}); check SELLER_VAT_ID and VIES_URL")
    return PermanentError(f"VIES refused the question ({code})")


def _text(value: object) -> str:
    """The text; VIES writes three dashes for what a member state does not disclose."""
    text = value.strip() if isinstance(value, str) else ""
    return "" if text == "---" else text
