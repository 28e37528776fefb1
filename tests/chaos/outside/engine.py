"""This machine's Docker Engine behind a proxy: some of the orders run on it, built from the lab's base image."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infrastructure.models import Deployment, Provider
from orders.choices import State, Wanted
from orders.models import Order, OrderChange
from products.models import Release, ReleaseBundle
from tests.chaos.lives import never_synced
from tests.chaos.outside.part import NotOnStage, OutsidePart
from tests.chaos.proxy import Proxy, unix_proxy
from tests.factories import PlanFactory, ReleaseFactory
from tests.infrastructure.contracts.test_runtime_contract import bundle

SOCKET = Path("/var/run/docker.sock")
BASE = "debian:bookworm-slim"
EVERY, MOST = 8, 8  # one order of eight, and not more than eight in all
DOCKERFILE = f"""
FROM {BASE}
ENV MAPS_VERSION={{version}}
COPY serve.pl /serve.pl
CMD ["perl", "/serve.pl"]
"""
SERVE = r"""
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 50, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
    while (<$client>) { last if /^\r?$/ }
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nCapabilities of $ENV{MAPS_VERSION}\n";
    close $client;
}
"""
COMPOSE = "services: {gateway: {build: ., expose: ['80'], volumes: ['maps:/data']}}\nvolumes: {maps: {}}\n"
KINDS = ("container", "network", "volume", "image")
LISTS = {
    "container": ("ps", "--all", "--quiet", "--no-trunc"),
    "network": ("network", "ls", "--quiet", "--no-trunc"),
    "volume": ("volume", "ls", "--quiet"),
    "image": ("image", "ls", "--all", "--quiet", "--no-trunc"),
}
PROJECT, KEY = "com.docker.compose.project", "live.key"

Item = Mapping[str, Any]


class Engine(OutsidePart):
    """An engine that others use as well; only what bears a key of the run is looked at."""

    def __init__(self, proxy: Proxy, socket: Path) -> None:
        super().__init__(proxy)
        self.environment = self.settings = {"DOCKER_HOST": f"unix://{socket}"}

    def set_up(self) -> None:
        Provider.objects.create(slug="here", name="This machine", kind=Provider.Kind.LOCAL, rank=2)

    def cast(self, order_fields: Sequence[dict[str, Any]]) -> None:
        """Some orders are of a product of their own, which no sandbox runs."""
        first = _release("v1", product__slug=f"chaos-{secrets.token_hex(4)}", product__config_repo=never_synced())
        releases = [first, *(_release(version, product=first.product) for version in ("v2", "v3"))]
        plan = PlanFactory(product=first.product, auto_approve=True, placement="shared", ram_gb=1, disk_gb=1)
        for fields in order_fields[EVERY // 2 :: EVERY][:MOST]:
            fields |= {"release": first, "releases": releases, "plan": plan, "sandbox": False}

    def problems(self) -> Iterator[str]:
        """One composition of each order that is not removed, as it has to be; of removed ones nothing is left."""
        orders = {order.key: order for order in Order.objects.filter(is_sandbox=False).select_related("release")}
        found = {kind: belongings(kind, orders) for kind in KINDS}
        launched = set(Deployment.objects.exclude(launched_at=None).values_list("order", flat=True))
        for key, order in orders.items():
            if order.state == State.REMOVED:
                left = [f"{kind} {item.get('Name') or item['Id']}" for kind in KINDS for item in found[kind][key]]
                yield from (f"{key} is removed, and its {name} is left on the engine" for name in left)
            elif order.wanted != Wanted.SUSPENDED or order.pk in launched:
                yield from _problems_of_composition(order, found["container"][key])
                if len(found["volume"][key]) != 1 or len(found["network"][key]) != 1:
                    yield f"{key} has {len(found['volume'][key])} volumes and {len(found['network'][key])} networks"

    def clear(self) -> None:
        """Nothing of the run is left there, whatever became of it."""
        keys = [order.key for order in Order.objects.filter(is_sandbox=False)]
        for kind in KINDS:
            for items in belongings(kind, keys).values():
                force = () if kind == "network" else ("--force",)
                for item in items:
                    _docker(kind, "rm", *force, item.get("Id") or item["Name"], check=False)


def belongings(kind: str, keys: Sequence[str] | Mapping[str, object]) -> Mapping[str, list[Item]]:
    """What of a kind bears each of the keys, with all that the engine says of it."""
    found = defaultdict[str, list[Item]](list)
    ids = {name for label in (PROJECT, KEY) for name in _docker(*LISTS[kind], "--filter", f"label={label}").split()}
    by_project = {key.lower(): key for key in keys}
    for item in json.loads(_docker(kind, "inspect", *sorted(ids), check=False) or "[]"):
        labels = item.get("Config", item).get("Labels") or {}
        name = labels.get(KEY) or labels.get(PROJECT, "")
        if key := by_project.get(name.lower()):
            found[key].append(item)
    return found


def _problems_of_composition(order: Order, containers: Sequence[Item]) -> Iterator[str]:
    if len(containers) != 1:
        yield f"{order.key} has {len(containers)} containers, not 1; it is {order.state}: {order.reason}"
    change = OrderChange.objects.open().filter(order=order).select_related("from_release").first()
    releases = [order.release, *([change.from_release] if change and change.from_release else [])]
    for container in containers:
        is_running = container["State"]["Status"] == "running"
        if is_running != (order.wanted == Wanted.RUNNING):
            yield f"{order.key} is {container['State']['Status']} on the engine and wanted {order.wanted}"
        environment = dict(entry.split("=", 1) for entry in container["Config"]["Env"])
        if environment["MAPS_VERSION"] not in [release.version for release in releases]:
            yield f"{order.key} runs {environment['MAPS_VERSION']} and not one of {', '.join(map(str, releases))}"


def _release(version: str, **fields: object) -> Release:
    release: Release = ReleaseFactory(version=version, compose=COMPOSE, **fields)
    files = {"Dockerfile": DOCKERFILE.format(version=version), "serve.pl": SERVE}
    ReleaseBundle.objects.create(release=release, archive=bundle(**files))
    return release


def _docker(*arguments: str, check: bool = True) -> str:
    """What the engine itself answers, whether its proxy is down or not."""
    command = ["docker", "--host", f"unix://{SOCKET}", *arguments]
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=120).stdout


@contextmanager
def on_stage(_folder: Path) -> Iterator[Engine]:
    """This machine's engine, as the workers reach it."""
    if not SOCKET.is_socket() or not _docker("image", "ls", "--quiet", BASE):
        raise NotOnStage(f"no Docker Engine with {BASE} here; deploy/lab/up makes both")
    # The path of a Unix socket has to be short.
    with TemporaryDirectory(prefix="live-chaos-") as folder, unix_proxy(Path(folder) / "docker", SOCKET) as proxy:
        engine = Engine(proxy, Path(folder) / "docker")
        try:
            yield engine
        finally:
            engine.clear()
