"""A real SDI on a real Docker Engine: ordered, suspended, resumed with its data, and removed without a trace."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
import requests

from infrastructure.models import Endpoint, Provider
from infrastructure.provisioning.services import left_behind
from orders.choices import State
from orders.models import Order
from orders.services import create_order, place_order, remove_order, resume_order, suspend_order
from products.models import Plan
from products.services import import_catalogue
from tests.factories import CustomerFactory
from tests.lab.map_clients import read_by_gdal, read_by_owslib

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

DriveUntil = Callable[[Callable[[], bool], float], None]
CAPABILITIES = {
    "wms": "{http://www.opengis.net/wms}WMS_Capabilities",
    "wfs": "{http://www.opengis.net/wfs/2.0}WFS_Capabilities",
    "csw": "{http://www.opengis.net/cat/csw/2.0.2}Capabilities",
}


def docker(*message: str) -> str:
    """What the engine's own client says."""
    return subprocess.run(["docker", *message], check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def containers(order: Order, *, running: bool = False) -> list[str]:
    """The order's containers, by id."""
    everything = () if running else ("--all",)
    return docker("ps", *everything, "--quiet", "--filter", f"label=live.key={order.key}").split()


def psql(order: Order, sql: str) -> str:
    """What the order's own database answers."""
    (database,) = docker(
        "ps",
        "--quiet",
        "--filter",
        f"label=live.key={order.key}",
        "--filter",
        "label=com.docker.compose.service=database",
    ).split()
    return docker("exec", "--user", "postgres", database, "psql", "--no-align", "--tuples-only", "--command", sql)


def is_in(order: Order, state: State) -> bool:
    """True once the order is in `state`; an order that needs a person fails the test with its reason."""
    order.refresh_from_db()
    assert order.state != State.ATTENTION, order.reason
    return order.state == state


def test_order_lives_and_leaves_without_a_trace(drive_until: DriveUntil) -> None:
    Provider.objects.create(slug="here", name="This machine", kind=Provider.Kind.LOCAL)
    import_catalogue()
    plan = Plan.objects.get(product__slug="sdi-lite", slug="small")
    order = create_order(
        customer=CustomerFactory(),
        plan=plan,
        name="Merholm",
        inputs={"title": "Merholm & more", "contact_email": "gis@example.org"},
    )
    try:
        place_order(order=order)
        drive_until(lambda: is_in(order, State.ACTIVE), 420)
        urls = dict(Endpoint.objects.filter(order=order).values_list("name", "check_url"))
        for name, root in CAPABILITIES.items():
            answer = requests.get(urls[name], timeout=20)
            assert ElementTree.fromstring(answer.content).tag == root  # noqa: S314  (our own service)
            assert b"Merholm &amp; more" in answer.content
        read_by_owslib(order)
        read_by_gdal(order)
        psql(order, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here');")

        suspend_order(order=order)
        drive_until(lambda: is_in(order, State.SUSPENDED), 90)
        assert containers(order, running=True) == []
        assert len(containers(order)) == 4

        resume_order(order=order)
        drive_until(lambda: is_in(order, State.ACTIVE), 120)
        assert psql(order, "SELECT word FROM kept") == "still here"
    finally:
        remove_order(order=order)
        drive_until(lambda: is_in(order, State.REMOVED), 120)
    assert left_behind(order) == []
    assert containers(order) == []
    label = f"label=com.docker.compose.project={order.key}"
    assert docker("volume", "ls", "--quiet", "--filter", label) == ""
    assert docker("network", "ls", "--quiet", "--filter", label) == ""
    assert docker("image", "ls", "--quiet", "--filter", f"label=live.key={order.key}") == ""
