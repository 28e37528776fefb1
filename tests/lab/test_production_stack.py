"""The production stack: up from a clean clone, and alive after each of its containers was killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import requests

from tests.lab.production_stack import FOLLOWED, Stack, wait_until

BEFORE = ("lib", "0002")  # the migration after it adds a table, which the version before does without

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


def test_it_comes_up_and_an_order_goes_on_whichever_container_is_killed(stack: Stack) -> None:
    references = {}
    for service in FOLLOWED:
        references[service] = stack.place(f"While {service} is killed")
        begun = time.monotonic()
        stack.kill(service)
        wait_until(stack, stack.is_ready, f"ready after {service} was killed", 90)
        print(f"{service}: ready {time.monotonic() - begun:.1f} s after it was killed")  # noqa: T201
    for service, reference in references.items():
        wait_until(stack, lambda: stack.order(reference).get("state") == "active", f"active ({service})", 120)  # noqa: B023


def test_a_new_version_of_the_site_and_the_worker_loses_no_request_and_no_order(stack: Stack) -> None:
    """With a migration in between: the old version works on while the table of the new one is made."""
    wait_until(stack, stack.is_ready, "ready", 90)
    stack.compose("exec", "-T", "web", "python", "manage.py", "migrate", "--verbosity", "0", *BEFORE)
    assert stack.ask("GET", "/readyz").json()["migrations"] == "missing"
    over, answers, references = Event(), list[int](), list[str]()

    def visit() -> None:
        while not over.is_set():
            try:
                answers.append(stack.ask("GET", "/account/login/").status_code)
            except requests.RequestException:
                answers.append(0)

    with ThreadPoolExecutor(max_workers=2) as pool:
        visitors = [pool.submit(visit) for _ in range(2)]
        try:
            references += [stack.place(f"Before the migration {number}") for number in range(2)]
            stack.compose("run", "--rm", "--no-deps", "--no-TTY", "setup")
            references += [stack.place(f"Before the new version {number}") for number in range(2)]
            stack.compose("up", "--detach", "--no-build", "--force-recreate", "--no-deps", "web", "worker")
            wait_until(stack, stack.is_ready, "ready again", 120)
        finally:
            over.set()
        for visitor in visitors:
            visitor.result()
    assert set(answers) == {200}, {status: answers.count(status) for status in set(answers)}
    for reference in references:
        wait_until(stack, lambda: stack.order(reference).get("state") == "active", f"active ({reference})", 120)  # noqa: B023
