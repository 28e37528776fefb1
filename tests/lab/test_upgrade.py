"""A real SDI upgraded on real engines: data kept, a broken release taken back by itself, a plan changed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from infrastructure.adapters.ssh.hosts import SshTarget, ask
from infrastructure.models import Deployment, Endpoint, Provider
from infrastructure.sandbox.models import SandboxSwitches
from orders.changes.services import change_plan, roll_back_order, upgrade_order
from orders.choices import ChangeState, State
from orders.fleet.services import progress_of, resume_fleet_upgrade, start_fleet_upgrade
from orders.models import FleetUpgrade, Order, OrderChange
from orders.services import create_order, place_order
from products.models import Plan, Release
from products.services import import_catalogue
from tests.factories import CustomerFactory, make_draft
from tests.infrastructure.provisioning.changing import make_release
from tests.lab.hosts import SDI, lab_hosts
from tests.lab.placing import DriveUntil, clear_away, pool_of

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
MEDIUM = """
  - slug: medium
    name: Medium
    price: "79.00"
    currency: EUR
    period: month
    placement: shared
    size: {cpus: 2, ram_gb: 2, disk_gb: 20}
    auto_approve: true
"""


@dataclass
class Catalogue:
    """A copy of the sample product that a test releases anew."""

    folder: Path

    def release(self, version: str, files: Mapping[str, tuple[str, str]] | None = None) -> Release:
        """The release after a text of each file was replaced; its page names the version."""
        page = self.folder / "gateway/site/index.html"
        page.write_text(f"{page.read_text()}<!-- {version} -->\n")
        for name, (old, new) in (files or {}).items():
            path = self.folder / name
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
        import_catalogue()
        return Release.objects.filter(product__slug="sdi-lite").latest("pk")


@dataclass
class Poll:
    """Asks a WMS again and again, as its users do."""

    url: str
    answers: list[tuple[float, bool]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Poll:
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(0.2):
            try:
                is_well = b"WMS_Capabilities" in requests.get(self.url, timeout=2).content
            except requests.RequestException:
                is_well = False
            self.answers.append((time.monotonic(), is_well))

    @property
    def gap(self) -> float:
        """Seconds from the first answer that failed to the first good one after the last that did."""
        failed = [at for at, is_well in self.answers if not is_well]
        if not failed:
            return 0.0
        return next(at for at, is_well in self.answers if is_well and at > failed[-1]) - failed[0]


@pytest.fixture
def catalogue(tmp_path: Path, settings: object) -> Catalogue:
    folder = tmp_path / "catalogue/products/sdi-lite"
    shutil.copytree(SDI, folder)
    manifest = folder / "product.yaml"
    manifest.write_text(manifest.read_text().replace("\nplans:\n", f"\nplans:{MEDIUM}", 1))
    settings.CATALOGUE_URL = str(tmp_path / "catalogue")
    settings.CHANGE_TIMEOUT = 90
    return Catalogue(folder=folder)


@pytest.fixture(params=["this machine", "over SSH"])
def shell(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A provider, and what its machine answers to a command line."""
    if request.param == "this machine":
        Provider.objects.create(slug="here", name="This machine", kind=Provider.Kind.LOCAL)
        return lambda line: subprocess.run(
            ["sh", "-c", line], check=True, capture_output=True, text=True, timeout=60
        ).stdout.strip()
    target: SshTarget = lab_hosts()[0]
    pool_of(target)
    return lambda line: ask(target, line).strip()


@pytest.fixture
def order(catalogue: Catalogue, shell: object, drive_until: DriveUntil) -> Iterator[Order]:
    catalogue.release("one")
    plan = Plan.objects.get(product__slug="sdi-lite", slug="small")
    inputs = {"title": "Merholm", "contact_email": "gis@example.org"}
    row = place_order(order=create_order(customer=CustomerFactory(), plan=plan, name="Merholm", inputs=inputs))
    try:
        drive_until(lambda: is_settled(row), 420)
        yield row
    finally:
        clear_away(row, drive_until)


def is_settled(order: Order) -> bool:
    """True once the order runs and nothing about it changes."""
    order.refresh_from_db()
    assert order.state != State.ATTENTION, order.reason
    return order.state == State.ACTIVE and not order.is_changing


def psql(shell: Callable[[str], str], order: Order, sql: str) -> str:
    """What the order's own database answers."""
    labels = f"--filter label=live.key={order.key} --filter label=com.docker.compose.service=database"
    line = f"docker exec --user postgres $(docker ps -q {labels}) psql -At -d sdi -c {shlex.quote(sql)}"
    return shell(line)


def page_of(order: Order) -> str:
    return requests.get(Endpoint.objects.get(order=order, name="map").url, timeout=10).text


def test_an_sdi_is_upgraded_with_its_data_and_broken_releases_go_back(
    order: Order, catalogue: Catalogue, shell: Callable[[str], str], drive_until: DriveUntil
) -> None:
    wms = Endpoint.objects.get(order=order, name="wms")
    psql(shell, order, "CREATE TABLE kept (place geometry(Point, 4326)); INSERT INTO kept VALUES ('POINT(5 52)')")
    first = order.release

    with Poll(url=wms.check_url) as poll:
        upgrade_order(order=order, release=catalogue.release("two"))
        drive_until(lambda: is_settled(order), 300)
    change = OrderChange.objects.latest("pk")
    print(f"upgrade: measured {change.interruption} s, polled {poll.gap:.1f} s")  # noqa: T201
    assert change.state == ChangeState.APPLIED
    assert "<!-- two -->" in page_of(order)
    assert psql(shell, order, "SELECT ST_AsText(place) FROM kept") == "POINT(5 52)"
    assert Endpoint.objects.get(order=order, name="wms").url == wms.url
    assert change.interruption is not None
    assert poll.gap <= change.interruption + 1

    # A release that cannot be built is noticed before anything is stopped.
    unbuildable = catalogue.release("three", {"gateway/Dockerfile": ("ARG DATA_DIR", "RUN exit 3\nARG DATA_DIR")})
    with Poll(url=wms.check_url) as poll:
        upgrade_order(order=order, release=unbuildable)
        drive_until(lambda: is_settled(order), 300)
    change = OrderChange.objects.latest("pk")
    assert (change.state, order.release.version) == (ChangeState.REVERTED, change.from_release.version)
    assert poll.gap == 0, "it kept answering"

    # A release whose services start and do not answer as promised.
    mute = catalogue.release(
        "four",
        {
            "gateway/Dockerfile": ("RUN exit 3\n", ""),
            "product.yaml": ("contains: WMS_Capabilities", "contains: No_Such_Text"),
        },
    )
    with Poll(url=wms.check_url) as poll:
        upgrade_order(order=order, release=mute)
        drive_until(lambda: is_settled(order), 300)
    change = OrderChange.objects.latest("pk")
    print(f"taken back: measured {change.interruption} s, polled {poll.gap:.1f} s")  # noqa: T201
    assert change.state == ChangeState.REVERTED
    assert "did not pass its checks in time" in change.error
    assert "<!-- four -->" not in page_of(order)
    assert psql(shell, order, "SELECT ST_AsText(place) FROM kept") == "POINT(5 52)"

    roll_back_order(order=order, release=first)
    drive_until(lambda: is_settled(order), 300)
    assert "<!-- two -->" not in page_of(order)
    change_plan(order=order, plan=Plan.objects.get(product__slug="sdi-lite", slug="medium"))
    with Poll(url=wms.check_url) as poll:
        drive_until(lambda: is_settled(order), 120)
    assert poll.gap == 0, "a larger share needs no restart"
    deployment = Deployment.objects.select_related("server").get(order=order)
    assert (deployment.server.cpus, deployment.server.ram_gb, deployment.running_release) == (2, 2, first)
    assert psql(shell, order, "SELECT count(*) FROM kept") == "1"


def test_a_fleet_of_ten_stops_at_the_first_failure_and_goes_on_by_hand(
    live_server: object, settings: object, drive_until: DriveUntil
) -> None:
    settings.SITE_URL = live_server.url
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    switches = SandboxSwitches.objects.create(provider=provider, build_seconds=0.2, launch_seconds=0.2)
    first = make_release(None, "v1")
    orders = [place_order(order=make_draft(release=first, sandbox=True, plan_fields={"auto_approve": True}))]
    plan = orders[0].plan
    orders += [place_order(order=make_draft(release=first, sandbox=True, plan=plan)) for _number in range(9)]
    drive_until(lambda: Order.objects.filter(state=State.ACTIVE).count() == 10, 120)

    fleet = start_fleet_upgrade(release=make_release(first.product, "v2"), wave_size=3)
    drive_until(lambda: progress_of(fleet)["done"] == 3, 60)
    switches.failing_launches = 1
    switches.save()
    drive_until(lambda: FleetUpgrade.objects.get().state == FleetUpgrade.State.STOPPED, 60)
    drive_until(lambda: not Order.objects.filter(is_changing=True).exists(), 60)
    drive_until(lambda: progress_of(fleet)["upgrading"] == 0, 60)
    counts = progress_of(fleet)
    assert (counts["failed"], counts["waiting"], counts["done"]) == (1, 4, 5)
    assert Order.objects.filter(state=State.ACTIVE).count() == 10, "whatever its release, each runs"

    resume_fleet_upgrade(fleet=fleet, retry_failed=True)
    drive_until(lambda: FleetUpgrade.objects.get().state == FleetUpgrade.State.DONE, 120)
    assert set(Order.objects.values_list("release__version", flat=True)) == {"v2"}
