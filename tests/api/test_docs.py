"""The calls that docs/api.md shows are made as they stand there."""

from __future__ import annotations

import re
import shlex
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from requests.adapters import BaseAdapter

from core import clock
from core.outside.webhook_post import new_secret, sign_message
from customers.choices import selectable_events
from customers.models import ApiToken, Webhook
from live.demo.cast import assemble
from orders.models import Order
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
CALL = re.compile(r"^(curl .*?[^\\])\n# (\d+)$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXPORT = re.compile(r"^export ([A-Z]+)=(.*)$", re.MULTILINE)


def test_examples_of_the_documentation_work_in_their_order_on_the_demo() -> None:
    call_command("catalogue", "sync", stdout=StringIO(), stderr=StringIO())
    assemble()
    values: dict[str, str] = {}
    answers = []
    for block in SHELL.findall(text_of_the_page()):
        for name, value in EXPORT.findall(block):
            values[name] = value_of(name, filled(value, values))
        for call, status in CALL.findall(block):
            answer = curl(filled(call, values))
            assert answer.status_code == int(status), (call, answer.content)
            answers.append(answer)
    assert len(answers) == 13
    assert Order.objects.get().wanted == "removed"
    assert Webhook.objects.get().events == ["order.active", "invoice.issued"]
    assert answers[-2]["Idempotency-Replayed"] == "true"
    assert answers[-2].content == answers[-4].content


def test_program_of_the_documentation_places_an_order_and_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("catalogue", "sync", stdout=StringIO(), stderr=StringIO())
    assemble()
    monkeypatch.setenv("LIVE", "http://testserver")
    monkeypatch.setenv("TOKEN", printed("jan@waterschap.example", "--name", "our register"))
    session = requests.Session
    monkeypatch.setattr("requests.Session", lambda: mounted(session()))
    states: list[str] = []

    def wait(seconds: float) -> None:
        states.append(Order.objects.get().state)
        Order.objects.update(state="active", updated_at=clock.now())

    monkeypatch.setattr("time.sleep", wait)
    out = StringIO()
    with redirect_stdout(out):
        exec(PYTHON.findall(text_of_the_page())[0], {})  # noqa: S102  (the page's own program)
    assert len(states) == 1
    assert [line.split()[0] for line in out.getvalue().splitlines()] == [*states, "active"]


def test_receiver_of_the_documentation_verifies_and_takes_each_message_once() -> None:
    handled: list[tuple[str, Any]] = []
    ids: set[str] = set()
    space: dict[str, Any] = {
        "is_new": lambda message_id: message_id not in ids and not ids.add(message_id),  # type: ignore[func-returns-value]
        "handle": lambda kind, facts: handled.append((kind, facts)),
    }
    exec(PYTHON.findall(text_of_the_page())[1], space)  # noqa: S102  (the page's own program)
    secret, now, body = new_secret(), clock.now(), '{"type": "order.active", "data": {"order": "GL7K3M"}}'
    signature = sign_message(secret, message_id="evt_1", body=body, at=now)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    assert [space["receive"](secret, headers, body) for _ in range(2)] == [204, 204]
    assert space["receive"](new_secret(), headers, body) == 400
    assert space["receive"](secret, headers, body.replace("GL7K3M", "GL0000")) == 400
    assert handled == [("order.active", {"order": "GL7K3M"})]


def test_events_of_the_documentation_are_all_there_are() -> None:
    text = text_of_the_page()
    assert [name for name, _label in selectable_events() if f"`{name}`" not in text] == []


class DjangoAdapter(BaseAdapter):
    """Lets requests (the library) call this site without a socket."""

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        """What the site answers."""
        path = request.url.removeprefix("http://testserver")
        kind = request.headers.get("Content-Type", "application/json")
        answer: Any = Client().generic(request.method, path, request.body or "", kind, headers=dict(request.headers))
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status_code, request.url, request
        response.headers.update(answer.headers)
        response._content = answer.content
        return response

    def close(self) -> None:
        """Nothing is open."""


def mounted(session: requests.Session) -> requests.Session:
    """A session that calls this site."""
    session.mount("http://testserver", DjangoAdapter())
    return session


def text_of_the_page() -> str:
    """The text of docs/api.md."""
    return (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()


def filled(text: str, values: dict[str, str]) -> str:
    """`text` with the variables that were exported before it; an unknown one fails the test."""
    return re.sub(r"\$([A-Z]+)", lambda name: values[name[1]], text)


def value_of(name: str, text: str) -> str:
    """What the shell would put into the variable: a literal, a token, or a member of the first row of a list."""
    if not text.startswith("$("):
        return ""
    if token := re.search(r"manage\.py token (.*)\)$", text):
        return printed(*shlex.split(token[1]))
    call, member = re.search(r"(curl -s .*?) \| grep -o '\"(\w+)\"", text).groups()  # type: ignore[union-attr]
    found = re.search(rf'"{member}": *"([^"]*)"', curl(call.replace("curl -s", "curl")).content.decode())
    assert found, name
    return found[1]


def test_token_is_printed_once_and_kept_as_a_hash() -> None:
    member = MembershipFactory(user__email="anna@example.org")
    token = printed("Anna@example.org", "--name", "our register", "--days", "7")
    row = ApiToken.objects.get()
    assert (row.user, row.name) == (member.user, "our register")
    assert row.expiry is not None
    assert timedelta(days=7) - timedelta(minutes=1) < row.expiry - row.created <= timedelta(days=7)
    assert token not in (row.digest, row.token_key)
    with pytest.raises(CommandError, match="Nobody signs in as"):
        printed("bert@example.org", "--name", "his register")


def printed(*arguments: str) -> str:
    """What `manage.py token` says."""
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue().strip()


def curl(command: str) -> Any:
    """The answer to a curl command that uses -H and -d only."""
    _, address, *options = shlex.split(command.replace("\\\n", " "))
    pairs = list(zip(options[::2], options[1::2], strict=True))
    assert {option for option, _ in pairs} <= {"-H", "-d"}
    headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    bodies = [value for option, value in pairs if option == "-d"]
    method = "POST" if bodies else "GET"
    return Client().generic(method, address, "".join(bodies), "application/json", headers=headers)
