"""The line to Zabbix: one call at a time, signed in, and every failure in our words. The one door to pyzabbix."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests
from pyzabbix.api import ZabbixAPI, ZabbixAPIException

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from core.outside.connection_errors import connection_failure
from core.text.plain_text import clean_text, clean_value

# pyzabbix writes whole requests, passwords included, at the level DEBUG, and its address at INFO.
logging.getLogger("pyzabbix").setLevel(logging.WARNING)

SIGNED_OUT = ("session terminated", "re-login")
REFUSED_US = (
    "not authorized",
    "not authorised",
    "api token expired",
    "incorrect user name or password",
    "login name or password is incorrect",
    "permission to perform this operation",
    "no permissions to call",
    "permission denied",
)
NOT_AS_WE_SAW_IT = ("already exists", "no permissions to referred object")
TROUBLED = ("error connecting to database", "too many", "sql statement execution", "database error", "deadlock")
SYSTEM_CODES = {-32400, -32300, -32603}


class OutOfDate(PermanentError):
    """What was looked up before the call is no longer so: made or deleted meanwhile, or hidden from us."""


class SignedOut(TransientError):
    """The session is over; signing in again may help."""


class ZabbixClient:
    """Calls one Zabbix by token, or by user and password; signs in at the first call and remembers it.

    Raises TransientError, PermanentError, ConfigError or OutOfDate, and nothing of pyzabbix's or requests'.
    """

    def __init__(self, url: str, *, token: str = "", user: str = "", password: str = "", timeout: float = 60.0) -> None:
        self.url, self.calls = url, 0
        self._token, self._user, self._password = token, user, password
        self._timeout = timeout
        self._api: ZabbixAPI | None = None

    @property
    def version(self) -> str:
        """What Zabbix calls itself, such as 7.0.22."""
        return clean_text(str(self._signed_in().version), 60)

    def call(self, method: str, params: Mapping[str, Any] | Sequence[Any]) -> Any:
        """The result of one call; an ended session is replaced by a new one, once."""
        try:
            return self._ask(method, params)
        except SignedOut:
            if self._token:
                raise ConfigError("Zabbix no longer accepts the API token") from None
            return self._ask(method, params)

    def _ask(self, method: str, params: Mapping[str, Any] | Sequence[Any]) -> Any:
        api = self._signed_in()
        with timed_call(OutsideSystem.ZABBIX), self._our_words():
            self.calls += 1
            return clean_value(api.do_request(method, params)["result"])

    def _signed_in(self) -> ZabbixAPI:
        if self._api is None:
            with timed_call(OutsideSystem.ZABBIX), self._our_words():
                api = ZabbixAPI(self.url, session=_session(), timeout=self._timeout)
                self.calls += 1 if self._token else 2
                api.login(self._user, self._password, api_token=self._token or None)
                self._api = api
        return self._api

    @contextmanager
    def _our_words(self) -> Iterator[None]:
        try:
            yield
        except ZabbixAPIException as error:
            raise self._of_the_api(error) from error
        except requests.HTTPError as error:
            raise _of_the_status(error.response) from error
        except (requests.RequestException, OSError, ValueError) as error:
            raise _of_the_road(error) from error
        except (KeyError, TypeError, AttributeError) as error:
            raise TransientError("Zabbix answered something that is no JSON-RPC") from error

    def _of_the_api(self, error: ZabbixAPIException) -> OutsideError:
        if error.error is None:
            return TransientError("Zabbix answered with a page instead of JSON; is it ZABBIX_URL that is wrong?")
        code, reason = error.error.get("code"), self._reason(error.error)
        small = reason.lower()
        if any(phrase in small for phrase in SIGNED_OUT):
            self._api = None
            return SignedOut("Zabbix has ended the session")
        if 'unexpected parameter "auth"' in small:
            self._api = None
            return TransientError("Zabbix has been upgraded; signing in as its new version wants it")
        if any(phrase in small for phrase in REFUSED_US):
            self._api = None
            return ConfigError(f"Zabbix refuses this account: {reason}")
        if code in SYSTEM_CODES or any(phrase in small for phrase in TROUBLED):
            return TransientError(f"Zabbix is in trouble: {reason}")
        if any(phrase in small for phrase in NOT_AS_WE_SAW_IT):
            return OutOfDate(f"Zabbix: {reason}")
        return PermanentError(f"Zabbix: {reason}")

    def _reason(self, error: Mapping[str, Any]) -> str:
        """Zabbix's own words without our secrets, and no longer than a person wants to read."""
        reason = str(error.get("data") or error.get("message") or "no reason given").strip()
        for secret in (self._token, self._password):
            reason = reason.replace(secret, "…") if secret else reason
        return reason[:300]


def _session() -> requests.Session:
    session = requests.Session()
    # Without an auth of its own, a session lets ~/.netrc replace the Bearer header.
    session.auth = lambda request: request
    return session


def _of_the_status(response: requests.Response) -> OutsideError:
    status = response.status_code
    if status == 429 or status >= 500:
        after = response.headers.get("Retry-After", "")
        rest = timedelta(seconds=int(after)) if after.isdigit() else None
        return TransientError(f"Zabbix answered HTTP {status}", retry_in=rest)
    if status in (401, 403):
        return ConfigError(f"Zabbix's web server refuses us: HTTP {status}")
    if status == 404:
        return ConfigError("There is no Zabbix API at ZABBIX_URL: HTTP 404")
    return PermanentError(f"Zabbix answered HTTP {status}")


def _of_the_road(error: Exception) -> OutsideError:
    """Nothing of the error's own text that may hold the address with a password in it."""
    if isinstance(error, requests.exceptions.SSLError):
        return ConfigError("Zabbix's certificate is not trusted, or it speaks no TLS at ZABBIX_URL")
    if isinstance(error, requests.Timeout | TimeoutError):
        return TransientError("Zabbix did not answer in time")
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return TransientError("Zabbix answered with a page instead of JSON; is it ZABBIX_URL that is wrong?")
    if isinstance(error, requests.RequestException) and isinstance(error, ValueError):
        return ConfigError("ZABBIX_URL is not a web address")
    if isinstance(error, ValueError):
        return TransientError("Zabbix answered something that is no JSON-RPC")
    return TransientError(connection_failure("Zabbix", error))
