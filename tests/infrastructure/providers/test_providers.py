"""What workers find out about providers and hosts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import TransientError
from infrastructure.backends import get_cloud, get_offer
from infrastructure.contracts.cloud import Offer, SizeOffer
from infrastructure.models import Host, Provider, ProviderOption, ProviderSecrets
from infrastructure.placement.places import find_place
from infrastructure.providers import connection, offers
from infrastructure.providers.connection import test_connection as ask_provider
from tests.factories import make_draft
from tests.fakes.ssh import FakeSsh
from tests.infrastructure.conftest import MakeHost

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed to the queue."""
    handed: list[tuple[Any, ...]] = []
    monkeypatch.setattr(connection, "enqueue", lambda *args, **options: handed.append(args))
    return handed


def test_what_a_provider_offers_becomes_rows_with_monthly_prices(
    cloud: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ProviderOption.objects.create(provider=cloud, kind="size", outside_id="old", name="gone since")
    size = SizeOffer(outside_id="fit", name="Fit", cpus=2, ram_gb=4, disk_gb=40, price=Decimal("0.01"))
    monkeypatch.setattr("infrastructure.providers.offers.get_offer", lambda provider: Offer(sizes=[size]))
    assert offers.refresh_options(cloud.pk) == "1 sizes, 0 images, 0 locations"
    row = ProviderOption.objects.get()
    assert (row.outside_id, row.price, row.currency) == ("fit", Decimal("7.3"), "EUR")


def test_an_offer_that_cannot_be_read_leaves_the_old_one(cloud: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    ProviderOption.objects.create(provider=cloud, kind="size", outside_id="old", name="still there")

    def silent(provider: Provider) -> Offer:
        raise TransientError("Cloud cannot be reached")

    monkeypatch.setattr("infrastructure.providers.offers.get_offer", silent)
    offers.refresh_options(cloud.pk)
    cloud.refresh_from_db()
    assert cloud.options_state == "Failed: Cloud cannot be reached"
    assert ProviderOption.objects.get().name == "still there"


def test_the_sandbox_offers_its_sizes_and_an_order_gets_the_cheapest() -> None:
    sandbox = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    offers.refresh_options(sandbox.pk)
    place = find_place(make_draft(sandbox=True))
    assert place.size is not None
    assert (place.size.outside_id, place.size.price) == ("sandbox-1", Decimal("4.0"))


def test_a_host_that_answers_is_ready(make_host: MakeHost, ssh: FakeSsh) -> None:
    host = make_host()
    connection.ask_host(host.pk)
    host.refresh_from_db()
    assert (host.state, host.facts["cpus"]) == (Host.State.READY, 8)
    assert host.status_message.startswith("Debian 12, Docker 27.0; 8 CPUs, 32 GB of memory")


def test_a_host_that_is_silent_or_another_says_so(make_host: MakeHost, ssh: FakeSsh) -> None:
    silent, other = make_host("silent"), make_host("other")
    ssh.silent.add(silent.address)
    ssh.host_keys[other.address] = "somebody else's"
    for host in (silent, other):
        connection.ask_host(host.pk)
        host.refresh_from_db()
    assert (silent.state, other.state) == (Host.State.SILENT, Host.State.REFUSED)
    assert "another host key" in other.status_message


def test_testing_a_pool_asks_its_enabled_hosts(make_host: MakeHost, pool: Provider, asked: list[Any]) -> None:
    host = make_host("one")
    make_host("two", is_enabled=False)
    assert ask_provider(pool.pk) == "Testing 1 host."
    assert asked == [("infrastructure.providers.connection.ask_host", host.pk)]


def test_refused_settings_are_said_on_the_provider(cloud: Provider) -> None:
    ProviderSecrets.objects.create(provider=cloud, values={"kee": "typed wrong, and secret"})
    message = ask_provider(cloud.pk)
    assert message.startswith("Failed: digitalocean: the driver does not accept these settings")
    assert "secret" not in message


def test_credentials_are_sealed_and_in_no_repr(cloud: Provider) -> None:
    ProviderSecrets.objects.create(provider=cloud, values={"key": "s3cret"})
    sealed = ProviderSecrets.objects.extra(select={"raw": '"values"'}).get().raw
    assert "s3cret" not in sealed
    assert "s3cret" not in f"{get_cloud(cloud)!r} {cloud!r} {ProviderSecrets.objects.get()!r}"


def test_nothing_is_offered_where_nothing_is_made(pool: Provider) -> None:
    assert get_offer(pool) == Offer()
