"""Lines of the log name their request and order, and stay lines."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from logging.config import dictConfig
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from core.engine.controller import Controller
from core.engine.outcome import Outcome, done
from core.log_context import log_context, logging_with
from orders.models import Order


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What goes to the log, in the format that the test is parametrised with."""
    stream = io.StringIO()
    config: dict[str, Any] = dict(settings.LOGGING)
    handler = {**config["handlers"]["stderr"], "formatter": request.param, "stream": stream}
    dictConfig({**config, "handlers": {"stderr": handler}, "root": {}, "loggers": {"probe": {"handlers": ["stderr"]}}})
    yield stream
    dictConfig(settings.LOGGING)


@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_json_has_one_object_a_line_with_the_context_as_fields(written: io.StringIO) -> None:
    with logging_with(request="0123abcd"), logging_with(order="GL7K3M"):
        logging.getLogger("probe").warning("typed:\n%s", "ERROR forged")
    [line] = written.getvalue().splitlines()
    texts = json.loads(line)
    assert texts.pop("time").endswith("+00:00")
    assert texts == {
        "level": "WARNING",
        "logger": "probe",
        "message": "typed:\nERROR forged",
        "request": "0123abcd",
        "order": "GL7K3M",
    }


@pytest.mark.parametrize("written", ["text"], indirect=True)
def test_text_has_the_context_behind_the_message_and_no_line_that_was_typed(written: io.StringIO) -> None:
    with logging_with(order="GL7K3M"):
        logging.getLogger("probe").warning("typed: %s", "x\r\n2026 ERROR forged\x1b[31m")
    [line] = written.getvalue().splitlines()
    assert line.endswith(r"WARNING probe: typed: x\r\n2026 ERROR forged\e[31m order=GL7K3M")


@pytest.mark.parametrize("written", ["text"], indirect=True)
def test_traceback_follows_indented(written: io.StringIO) -> None:
    try:
        raise KeyError("typed\nkey")
    except KeyError:
        logging.getLogger("probe").exception("It failed")
    first, *rest = written.getvalue().splitlines()
    assert first.endswith("ERROR probe: It failed")
    assert rest[0] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") for line in rest)


def test_context_ends_with_its_block() -> None:
    with logging_with(request="a"):
        with logging_with(order="b"):
            assert log_context() == {"request": "a", "order": "b"}
        assert log_context() == {"request": "a"}
    assert log_context() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "short", "with space in it", "x" * 65, "line\tbreak8"])
def test_request_gets_an_id_of_its_own_where_it_brings_no_proper_one(client: Client, given: str) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert len(answered) == 32
    assert answered != given


def test_id_that_the_gateway_gave_is_kept(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "gateway-0001"})["X-Request-ID"] == "gateway-0001"


class Probe(Controller[Any, Any]):
    """Remembers the context that it acts in."""

    name = "probe"
    context: Any = None

    def act(self, row: Any) -> Outcome[Any]:
        """Done at once."""
        Probe.context = log_context()
        return done()


def test_controller_names_the_row_and_the_order_it_works_on() -> None:
    class Row:
        pk = 7

        class _state:
            fields_cache = {"order": Order(reference="GL7K3M")}

    Probe()._act_safely(Row())
    assert Probe.context == {"row": "probe 7", "order": "GL7K3M"}
