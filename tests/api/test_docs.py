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

from customers.models import ApiToken, Membership
from orders.models import Order
from products.models import Plan
from tests.factories import MembershipFactory, PlanFactory, ReleaseFactory

pytestmark = pytest.mark.django_db
CALL = re.compile(r"^(curl .*?[^\\])\n# (\d+)$", re.DOTALL | re.MULTILINE)


def test_calls_of_the_documentation_work_in_their_order() -> None:
    member: Membership = MembershipFactory(user__email="anna@example.org")
    plan: Plan = PlanFactory(product=ReleaseFactory().product)
    values = {"LIVE": "", "CUSTOMER": member.customer.number, "PRODUCT": plan.product.slug}
    values["TOKEN"] = printed("anna@example.org", "--name", "our register", "--days", "365")
    answers = []
    for words, status in CALL.findall((Path(settings.BASE_DIR) / "docs" / "api.md").read_text()):
        values["ORDER"] = next((order.reference for order in Order.objects.all()), "")
        answer = curl(re.sub(r"\$([A-Z]+)", lambda name: values[name[1]], words))
        assert answer.status_code == int(status), (words, answer.content)
        answers.append(answer)
    assert len(answers) == 9
    assert Order.objects.get().wanted == "removed"
    assert answers[-1]["Idempotency-Replayed"] == "true"
    assert answers[-1].content == answers[-2].content


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


def printed(*words: str) -> str:
    """What `manage.py token` says."""
    out = StringIO()
    call_command("token", *words, stdout=out)
    return out.getvalue().strip()


def curl(words: str) -> Any:
    """The answer to a curl command that uses -H and -d only."""
    _, address, *options = shlex.split(words.replace("\\\n", " "))
    pairs = list(zip(options[::2], options[1::2], strict=True))
    assert {option for option, _ in pairs} <= {"-H", "-d"}
    headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    bodies = [value for option, value in pairs if option == "-d"]
    method = "POST" if bodies else "GET"
    return Client().generic(method, address, "".join(bodies), "application/json", headers=headers)
