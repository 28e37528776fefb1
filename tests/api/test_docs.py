"""The calls that docs/api.md shows are made as they stand there."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from customers.models import ApiToken
from live.demo.cast import assemble
from orders.models import Order
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
CALL = re.compile(r"^(curl .*?[^\\])\n# (\d+)$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXPORT = re.compile(r"^export ([A-Z]+)=(.*)$", re.MULTILINE)


def test_examples_of_the_documentation_work_in_their_order_on_the_demo() -> None:
    call_command("catalogue", "sync", stdout=StringIO(), stderr=StringIO())
    assemble()
    values: dict[str, str] = {}
    answers = []
    for block in SHELL.findall((Path(settings.BASE_DIR) / "docs" / "api.md").read_text()):
        for name, value in EXPORT.findall(block):
            values[name] = value_of(name, filled(value, values))
        for call, status in CALL.findall(block):
            answer = curl(filled(call, values))
            assert answer.status_code == int(status), (call, answer.content)
            answers.append(answer)
    assert len(answers) == 10
    assert Order.objects.get().wanted == "removed"
    assert answers[-1]["Idempotency-Replayed"] == "true"
    assert answers[-1].content == answers[-2].content


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
