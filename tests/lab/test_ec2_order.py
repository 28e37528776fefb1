"""Orders at EC2: libcloud makes their server, their composition runs there over SSH, and nothing is left of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from billing.models import Invoice
from core import clock
from core.errors import TransientError
from infrastructure import backends
from infrastructure.adapters.libcloud.cloud import open_driver
from infrastructure.adapters.ssh.hosts import HostKeyChanged, ask, fingerprint, new_key_pair
from infrastructure.backends import target_of, user_data_of
from infrastructure.keys import admit_server, change_settings
from infrastructure.models import Endpoint, Provider, Server, ServerKeys
from infrastructure.placement.preview import plan_of
from infrastructure.providers.offers import refresh_options
from infrastructure.provisioning.services import left_behind
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.services import (
    approve_order,
    create_order,
    place_order,
    remove_order,
    resume_order,
    retry_order,
    suspend_order,
)
from products.models import Plan, ReleaseBundle
from products.services import import_catalogue
from tests.factories import MANIFEST, CustomerFactory, ReleaseFactory, make_draft
from tests.lab.ec2 import IMAGE, ec2
from tests.lab.hosts import lab_hosts

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket, pytest.mark.django_db(transaction=True)]

DriveUntil = Callable[[Callable[[], bool], float], None]
CAPABILITIES = {
    "wms": "{http://www.opengis.net/wms}WMS_Capabilities",
    "wfs": "{http://www.opengis.net/wfs/2.0}WFS_Capabilities",
    "csw": "{http://www.opengis.net/cat/csw/2.0.2}Capabilities",
}
SAYS_HELLO = (
    "$s = IO::Socket::INET->new(LocalPort => 80, Listen => 5, ReuseAddr => 1) or die;"
    "while ($c = $s->accept) { while (<$c>) { last if /^\\r?\\n/ }"
    ' print $c "HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n"; close $c }'
)
HELLO = {
    "services": {
        "web": {
            "image": "debian:bookworm-slim",
            "init": True,
            "command": ["perl", "-MIO::Socket::INET", "-e", SAYS_HELLO.replace("$", "$$")],
        }
    }
}
HELLO_ENDPOINT = {
    "name": "web",
    "application": "Greeting",
    "service": "web",
    "port": 80,
    "path": "/",
    "check": {"path": "/", "contains": "hello"},
}


class Amazon:
    """The EC2 of the test, seen beside our rows."""

    def __init__(self, credentials: dict[str, object]) -> None:
        self.credentials = credentials
        self.driver: Any = open_driver("ec2", credentials)

    def instances(self) -> list[str]:
        """Every instance that ever was: an hour or longer EC2 tells of those that are no more."""
        return [str(node.state) for node in self.driver.list_nodes()]

    def leftovers(self) -> list[str]:
        """What a server may leave behind it that costs money, or opens something."""
        volumes = [f"volume {volume.id}" for volume in self.driver.list_volumes()]
        return volumes + [f"key {volume.name}" for volume in self.driver.list_key_pairs()]


@pytest.fixture
def amazon(socket_enabled: None) -> Iterator[Amazon]:
    with ec2("--boot") as captured:
        yield Amazon(captured)


@pytest.fixture
def provider(amazon: Amazon, db: None) -> Provider:
    """What staff would add: EC2, an image, its credentials; its offer is read."""
    provider = Provider.objects.create(
        slug="amazon", name="Amazon", kind=Provider.Kind.LIBCLOUD, driver="ec2", image=IMAGE, currency="USD"
    )
    change_settings(provider=provider, values=amazon.credentials)
    refresh_options(provider.pk)
    provider.refresh_from_db()
    assert "sizes" in provider.options_state
    return provider


def fresh(order: Order) -> Order:
    order.refresh_from_db()
    return order


def is_in(order: Order, state: State) -> bool:
    """True once the order is in `state`; an order that needs a person fails the test with its reason."""
    assert fresh(order).state != State.ATTENTION, order.reason
    return order.state == state


def on_the_host(order: Order) -> str:
    """What the engine on which the lab's servers boot still has of the order."""
    host, project = lab_hosts()[1], f"label=com.docker.compose.project={order.key}"
    kinds = ("container ls --all", "network ls", "volume ls", "image ls")
    return "".join(ask(host, f"docker {kind} --quiet --filter {project}") for kind in kinds)


def test_one_order_from_draft_to_removed(amazon: Amazon, provider: Provider, drive_until: DriveUntil) -> None:
    import_catalogue()
    order = create_order(
        customer=CustomerFactory(),
        plan=Plan.objects.get(product__slug="sdi-lite", slug="standard"),
        name="Merholm",
        inputs={"title": "Merholm & more", "contact_email": "gis@example.org"},
        provider_slug="amazon",
    )
    plan = plan_of(order)
    assert plan.problem == ""
    assert plan.size is not None
    assert plan.monthly_price is not None
    assert (plan.provider, plan.size.outside_id, plan.monthly_price.amount) == (
        "Amazon",
        "t3a.medium",
        Decimal("29.78"),
    )
    place_order(order=order)
    assert fresh(order).state == State.PENDING
    assert amazon.instances() == []
    approve_order(order=order)
    try:
        drive_until(lambda: is_in(order, State.ACTIVE), 420)
        _lives(amazon, order, drive_until)
    finally:
        server = Server.objects.get()
        remove_order(order=order)
        drive_until(lambda: is_in(order, State.REMOVED), 120)
    assert amazon.instances() == ["terminated"]
    assert amazon.leftovers() == []
    assert on_the_host(order) == ""
    assert left_behind(order) == []
    with pytest.raises(TransientError):
        ask(target_of(server), "true", timeout=5)
    shown = list(order.events.values_list("message", flat=True))
    assert any(f"Server {server.outside_id} is running at {server.address}." in message for message in shown)
    assert any("no container, network, volume or directory is left" in message for message in shown)
    assert any("Server destroyed; the provider no longer lists it." in message for message in shown)


def _lives(amazon: Amazon, order: Order, drive_until: DriveUntil) -> None:
    """The order's server, services, invoice, rest and return are what they should be."""
    server, keys = Server.objects.get(), ServerKeys.objects.get()
    [node] = amazon.driver.list_nodes()
    assert (node.id, node.name, node.extra["instance_type"]) == (server.outside_id, order.key, "t3a.medium")
    assert node.public_ips == [server.address]
    target = target_of(server)
    assert (target.private_key, target.host_key) == (keys.private_key, keys.host_key)
    assert order.key in ask(target, "docker ps --format '{{.Names}}'")
    with pytest.raises(HostKeyChanged):
        ask(replace(target, host_key=new_key_pair("another").public), "true")
    _answers(order, server)

    invoice = Invoice.objects.get(order=order)
    assert (invoice.is_specimen, invoice.net) == (False, Decimal("244.00"))

    suspend_order(order=order)
    drive_until(lambda: is_in(order, State.SUSPENDED), 90)
    for url in Endpoint.objects.values_list("check_url", flat=True):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=20)
    resume_order(order=order)
    drive_until(lambda: is_in(order, State.ACTIVE), 180)
    _answers(order, server)
    assert amazon.instances() == ["running"]


def _answers(order: Order, server: Server) -> None:
    urls = dict(Endpoint.objects.filter(order=order).values_list("name", "check_url"))
    assert all(url.startswith(f"http://{server.address}:") for url in urls.values())
    for name, root in CAPABILITIES.items():
        answer = requests.get(urls[name], timeout=20)
        assert ElementTree.fromstring(answer.content).tag == root  # noqa: S314  (our own service)
        assert b"Merholm &amp; more" in answer.content


def greeting(**fields: Any) -> Order:
    """An order of the smallest product there is, placed and approved."""
    release = ReleaseFactory(manifest={**MANIFEST, "endpoints": [HELLO_ENDPOINT]}, compose=json.dumps(HELLO))
    ReleaseBundle.objects.create(release=release, archive=b"")
    plan = {"cpus": 2, "ram_gb": 4, "disk_gb": 40, "placement": "dedicated", "auto_approve": True}
    return place_order(order=make_draft(release=release, provider_slug="amazon", plan_fields=plan))


def leaves(amazon: Amazon, order: Order, drive_until: DriveUntil) -> None:
    """The order goes, with its one server and all that ran there."""
    remove_order(order=order)
    drive_until(lambda: is_in(order, State.REMOVED), 90)
    assert amazon.instances() == ["terminated"]
    assert amazon.leftovers() == []
    assert on_the_host(order) == ""
    assert left_behind(order) == []


def losing(*actions: str) -> tuple[Callable[..., Any], list[str]]:
    """Opens drivers as ever, except that the first reply to each of these actions never arrives."""
    lost: list[str] = []

    def opened(name: str, credentials: dict[str, object], **guard: Any) -> Any:
        driver: Any = open_driver(name, credentials, **guard)
        request = driver.connection.request

        def asked(*args: Any, **more: Any) -> Any:
            answer = request(*args, **more)
            action = more.get("params", {}).get("Action", "")
            if action in actions and action not in lost:
                lost.append(action)
                raise requests.exceptions.ReadTimeout("the reply was lost")
            return answer

        driver.connection.request = asked
        return driver

    return opened, lost


def test_replies_that_are_lost_make_one_server_and_leave_none(
    amazon: Amazon, provider: Provider, drive_until: DriveUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, lost = losing("RunInstances", "TerminateInstances")
    monkeypatch.setattr(backends, "open_driver", opened)
    order = greeting()
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    assert (lost, amazon.instances()) == (["RunInstances"], ["running"])
    leaves(amazon, order, drive_until)
    assert lost == ["RunInstances", "TerminateInstances"]


WORKER = """
import json, sys, time
from infrastructure.adapters.libcloud.cloud import LibcloudCloud, open_driver
from infrastructure.contracts.cloud import Size
task = json.load(sys.stdin)
driver = open_driver("ec2", task["credentials"])
request = driver.connection.request
def asked(*args, **more):
    answer = request(*args, **more)
    if more.get("params", {}).get("Action") == "RunInstances":
        print("made", flush=True)
        time.sleep(60)
    return answer
driver.connection.request = asked
cloud = LibcloudCloud(driver=driver, image_id=task["image"])
cloud.ensure_server(key=task["key"], size=Size(cpus=2, ram_gb=4, disk_gb=40), user_data=task["user_data"])
"""


def killed_while_it_makes(server: Server, credentials: dict[str, object]) -> None:
    """A worker has asked EC2 for the server, and died before it heard the answer."""
    Server.objects.filter(pk=server.pk).update(leased_until=clock.now() + timedelta(seconds=3), attempts=1)
    task = {"credentials": credentials, "image": IMAGE, "key": server.key, "user_data": user_data_of(server)}
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(task))
        worker.stdin.close()
        assert worker.stdout.readline() == "made\n"
        worker.kill()


def test_a_worker_killed_after_it_asked_for_a_server_is_followed_by_one_that_finds_it(
    amazon: Amazon, provider: Provider, drive_until: DriveUntil
) -> None:
    order = greeting()
    killed_while_it_makes(Server.objects.get(), amazon.credentials)
    assert len(amazon.instances()) == 1
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    assert amazon.instances() == ["running"]
    leaves(amazon, order, drive_until)


def test_a_server_that_shows_another_host_key_is_told_nothing_until_staff_know_why(
    amazon: Amazon, provider: Provider, drive_until: DriveUntil
) -> None:
    order, other = greeting(), new_key_pair("somebody else")
    keys = ServerKeys.objects.get()
    keys.host_private_key = other.private
    keys.save()
    drive_until(lambda: fresh(order).state == State.ATTENTION, 60)
    server = Server.objects.get()
    assert f"HOST KEY CHANGED: root@{server.address} shows {fingerprint(other.public)}" in order.reason
    assert f"not {fingerprint(keys.host_key)}. Nothing was sent to it." in order.reason
    assert "enter its new host key" in order.reason
    assert on_the_host(order) == ""

    admit_server(server=server, host_key=other.public)
    retry_order(order=order)
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    assert order.parts.get(part=Part.SERVER).state == PartState.READY
    assert amazon.instances() == ["running"]
    leaves(amazon, order, drive_until)
