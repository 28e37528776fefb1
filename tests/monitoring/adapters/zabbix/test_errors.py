"""Whatever goes wrong between us and Zabbix comes out in our words: one test per row of the table."""

from __future__ import annotations

import errno
import json
import logging
from datetime import timedelta

import pytest
import requests
import responses

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.adapters.zabbix.client import OutOfDate
from tests.fakes.zabbix import API, URL, ApiError, FakeZabbix, serve

TOKEN, PASSWORD = "c0ffee-secret-token", "s3cret-password"
PAGE = "<!DOCTYPE html><title>Under maintenance</title>"


def by_token() -> ZabbixBackend:
    return ZabbixBackend(url=URL, token=TOKEN)


def by_password() -> ZabbixBackend:
    return ZabbixBackend(url=URL, user="live", password=PASSWORD)


def refusal(texts: str, code: int = -32602) -> dict[str, object]:
    return {"error": {"code": code, "message": "Invalid params.", "data": texts}, "jsonrpc": "2.0", "id": 1}


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        ({"body": requests.ConnectionError(f"to https://live:{PASSWORD}@zabbix")}, TransientError, "cannot be reached"),
        ({"body": ConnectionRefusedError(errno.ECONNREFUSED, "x")}, TransientError, "be reached: connection refused"),
        ({"body": requests.exceptions.SSLError("certificate verify failed")}, ConfigError, "not trusted"),
        ({"body": requests.ConnectTimeout()}, TransientError, "did not answer in time"),
        ({"body": requests.ReadTimeout()}, TransientError, "did not answer in time"),
        ({"body": requests.exceptions.ChunkedEncodingError()}, TransientError, "cannot be reached"),
        ({"body": requests.exceptions.InvalidURL(URL)}, ConfigError, "not a web address"),
        ({"body": PAGE}, TransientError, "a page instead of JSON"),
        ({"body": ""}, TransientError, "a page instead of JSON"),
        ({"json": ["neither", "this"]}, TransientError, "no JSON-RPC"),
        ({"json": {"result": "soon"}}, TransientError, "no JSON-RPC"),
        ({"body": PAGE, "status": 503}, TransientError, "HTTP 503"),
        ({"body": PAGE, "status": 401}, ConfigError, "HTTP 401"),
        ({"body": PAGE, "status": 403}, ConfigError, "HTTP 403"),
        ({"body": PAGE, "status": 404}, ConfigError, "no Zabbix API"),
        ({"body": PAGE, "status": 412}, PermanentError, "HTTP 412"),
        ({"json": refusal("Not authorized.")}, ConfigError, "refuses this account"),
        ({"json": refusal("Not authorised.")}, ConfigError, "refuses this account"),
        ({"json": refusal("API token expired.")}, ConfigError, "refuses this account"),
        ({"json": refusal('No permissions to call "host.create".')}, ConfigError, "refuses this account"),
        ({"json": refusal("You do not have permission to perform this operation.")}, ConfigError, "refuses"),
        ({"json": refusal("Session terminated, re-login, please.")}, ConfigError, "no longer accepts the API token"),
        ({"json": refusal("Error connecting to database: too many clients already")}, TransientError, "in trouble"),
        ({"json": refusal("Internal error.", -32603)}, TransientError, "in trouble"),
        ({"json": refusal('unexpected parameter "auth".', -32600)}, TransientError, "upgraded"),
        ({"json": refusal('Host "live-x" already exists.')}, OutOfDate, "already exists"),
        ({"json": refusal("No permissions to referred object or it does not exist!")}, OutOfDate, "No permissions"),
        ({"json": refusal('Invalid parameter "/1/name": value is too long.')}, PermanentError, "value is too long"),
    ],
)
def test_every_failure_comes_out_in_our_words(
    client: responses.RequestsMock, answer: dict[str, object], kind: type[OutsideError], message: str
) -> None:
    client.post(API, **answer)
    with pytest.raises(OutsideError, match=message) as caught:
        by_token().test_connection()
    assert type(caught.value) is kind
    assert TOKEN not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_zabbix_says_when_to_come_back(client: responses.RequestsMock) -> None:
    client.post(API, status=429, headers={"Retry-After": "17"})
    with pytest.raises(TransientError) as caught:
        by_token().test_connection()
    assert caught.value.retry_in == timedelta(seconds=17)


def test_wrong_password_is_a_matter_of_settings(client: responses.RequestsMock) -> None:
    client.post(API, json={"result": "7.0.22"})
    client.post(API, json=refusal("Incorrect user name or password or account is temporarily blocked.", -32500))
    with pytest.raises(ConfigError, match="Incorrect user name"):
        by_password().test_connection()


def test_secrets_that_zabbix_repeats_are_struck_out(client: responses.RequestsMock) -> None:
    client.post(API, json=refusal(f'Invalid parameter "{PASSWORD}" of "live".'))
    with pytest.raises(PermanentError) as caught:
        by_password().test_connection()
    assert str(caught.value) == 'Zabbix: Invalid parameter "…" of "live".'


def test_nothing_secret_is_logged_or_shown(client: responses.RequestsMock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="monitoring")
    zabbix, backend = serve(client, FakeZabbix()), by_password()
    with caplog.at_level(logging.DEBUG):
        backend.test_connection()
    assert zabbix.calls[:2] == ["apiinfo.version", "user.login"]
    assert PASSWORD not in caplog.text + repr(backend) + repr(backend.client)
    assert "a-session" not in caplog.text


class Forgetful(FakeZabbix):
    """Ends the session once, or always, after signing in."""

    always = False
    ended = False

    def _result(self, method: str, params: object) -> object:
        if method == "hostgroup.get" and (self.always or not self.ended):
            self.ended = True
            raise ApiError("Session terminated, re-login, please.")
        return super()._result(method, params)


def test_ended_session_is_renewed_once_without_anybody_noticing(client: responses.RequestsMock) -> None:
    zabbix = serve(client, Forgetful())
    assert by_password().test_connection().startswith("Zabbix 7.0.22")
    assert zabbix.calls.count("user.login") == 2


def test_zabbix_out_of_sessions_is_left_alone_until_later(client: responses.RequestsMock) -> None:
    zabbix = serve(client, Forgetful())
    zabbix.always = True
    with pytest.raises(TransientError, match="ended the session"):
        by_password().test_connection()
    assert zabbix.calls.count("user.login") == 2


@pytest.mark.parametrize(
    ("version", "in_body"), [("6.0.14", True), ("6.4.0", False), ("7.0.22", False), ("7.4.1", False)]
)
def test_token_travels_in_the_header_wherever_zabbix_reads_it_there(
    client: responses.RequestsMock, version: str, in_body: bool
) -> None:
    zabbix = serve(client, FakeZabbix(version))
    by_token().test_connection()
    assert ("auth" in zabbix.bodies[-1]) is in_body
    assert zabbix.headers[-1].get("Authorization") == (None if in_body else f"Bearer {TOKEN}")
    assert TOKEN not in json.dumps(zabbix.bodies[0])


def test_every_call_has_a_time_out(client: responses.RequestsMock) -> None:
    serve(client, FakeZabbix())
    ZabbixBackend(url=URL, token=TOKEN, timeout=7).test_connection()
    assert {call.request.req_kwargs["timeout"] for call in client.calls} == {7}
