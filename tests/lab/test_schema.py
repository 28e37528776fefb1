"""Schemathesis calls every operation of the published schema as staff, as a customer and as nobody."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from pytest_django.live_server_helper import LiveServer
from rest_framework.throttling import UserRateThrottle

from customers.models import ApiToken, Membership, User
from infrastructure.sandbox.models import SandboxSwitches
from orders.models import Order
from tests.api.conftest import furnish
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "3"))  # for each operation
SEED = os.environ.get("SCHEMA_SEED", "20261128")  # another seed makes other examples
# Data that does not fit may also be refused for another reason: a precondition that fails, a body that is too large.
CONFIG = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429]
"""
SCHEMATHESIS = Path(settings.BASE_DIR) / ".venv" / "bin" / "schemathesis"


@pytest.fixture
def ours(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order of the calling customer, with a row in every room; nothing is throttled."""
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
    cache.clear()
    with transaction.atomic():
        return furnish(make_draft(customer=CustomerFactory(name="Waterschap Vallei"), name="maps of the valley"))


@pytest.fixture
def theirs(ours: Order) -> Order:
    """An order of another customer."""
    customer = CustomerFactory(name="Gemeente Verweg", email="geheim@verweg.example")
    with transaction.atomic():
        return furnish(make_draft(customer=customer, name="maps of far away", plan=ours.plan, release=ours.release))


def texts_of(order: Order) -> list[str]:
    """What nobody else may read."""
    customer = order.customer
    return [order.reference, order.name, customer.number, customer.name, customer.email, order.invoices.get().number]


def call_everything(url: str, *, user: User | None, foreign: list[str], folder: Path) -> None:
    """Every operation is called, with data that fits the schema and with data that does not; any finding fails."""
    command = [
        *(str(SCHEMATHESIS), "run", f"{url}/api/schema/"),
        *("--include-path-regex", "^/api/v1/", "--checks", "all", "--max-examples", str(EXAMPLES)),
        # A body that fits the schema can still name a plan or customer that does not exist.
        *("--exclude-checks", "positive_data_acceptance"),
        *("--phases", "examples,coverage,fuzzing", "--workers", "1", "--continue-on-failure", "--no-color"),
        *("--seed", SEED),
        *("--report", "junit", "--report-dir", str(folder)),
    ]
    (folder / "schemathesis.toml").write_text(CONFIG)
    if user is not None:
        command += ["--header", f"Authorization: Bearer {ApiToken.objects.create(user=user, name='schemathesis')[1]}"]
    environment = {**os.environ, "FOREIGN_TEXTS": "\n".join(foreign), "SCHEMATHESIS_HOOKS": "tests.lab.schema_checks"}
    environment["PYTHONPATH"] = str(settings.BASE_DIR)
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=1800
    )
    (folder / "run.txt").write_text(run.stdout)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-3000:]


def test_nobody_gets_anything(live_server: LiveServer, socket_enabled: None, theirs: Order, tmp_path: Path) -> None:
    call_everything(live_server.url, user=None, foreign=texts_of(theirs), folder=tmp_path)


def test_customer_gets_answers_that_fit_the_schema_and_nothing_of_others(
    live_server: LiveServer, socket_enabled: None, ours: Order, theirs: Order, tmp_path: Path
) -> None:
    owner = MembershipFactory(customer=ours.customer, role=Membership.Role.OWNER).user
    call_everything(live_server.url, user=owner, foreign=texts_of(theirs), folder=tmp_path)
    theirs.refresh_from_db()
    assert theirs.wanted == "running"


def test_staff_get_answers_that_fit_the_schema(
    live_server: LiveServer, socket_enabled: None, ours: Order, theirs: Order, tmp_path: Path
) -> None:
    SandboxSwitches.objects.get_or_create(provider=ours.server.provider)
    chief: User = UserFactory(is_staff=True, is_superuser=True)
    call_everything(live_server.url, user=chief, foreign=[], folder=tmp_path)
