"""Providers and hosts in the admin: asked for what they need, secrets in and never out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from infrastructure.models import Host, HostSecrets, Provider, ProviderOption, ProviderSecrets
from infrastructure.providers import connection
from infrastructure.provisioning.reconcile import reconcile_orders
from tests.factories import UserFactory
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = pytest.mark.django_db
HEAD = "-----BEGIN OPENSSH PRIVATE KEY-----"
PROVIDERS, HOSTS = "admin:infrastructure_provider", "admin:infrastructure_host"


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed to the queue."""
    handed: list[tuple[Any, ...]] = []
    for module in ("providers.connection", "providers.offers", "admin.provider"):
        monkeypatch.setattr(f"infrastructure.{module}.enqueue", lambda *args, **options: handed.append(args))
    return handed


@pytest.fixture
def boss(client: Client) -> Client:
    """A client of somebody who may do everything."""
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def change(client: Client, provider: Provider, **fields: str | list[str]) -> Any:
    """The provider's form, sent with `fields`."""
    form = {
        "name": provider.name,
        "is_enabled": "on",
        "rank": "10",
        "location": provider.location,
        "image": provider.image,
        "network": provider.network,
        "architecture": "amd64",
        "create_options": "{}",
        "currency": "USD",
        "priced_per": "hour",
        "setting_secure": "on",
        "plan_sizes-TOTAL_FORMS": "0",
        "plan_sizes-INITIAL_FORMS": "0",
    }
    return client.post(reverse(f"{PROVIDERS}_change", args=(provider.pk,)), form | fields)


def test_a_new_cloud_names_its_driver_and_is_then_asked_what_that_needs(boss: Client, queue: list[Any]) -> None:
    form = {"name": "Amazon", "slug": "amazon", "kind": "libcloud", "address": "127.0.0.1", "rank": "5"}
    page = boss.post(reverse(f"{PROVIDERS}_add"), form)
    assert "A cloud needs a Libcloud driver." in page.content.decode()
    assert boss.post(reverse(f"{PROVIDERS}_add"), form | {"driver": "ec2"}).status_code == 302
    provider = Provider.objects.get()
    page = boss.get(reverse(f"{PROVIDERS}_change", args=(provider.pk,)))
    for name in ("key", "secret", "region", "token"):
        assert f'name="setting_{name}"' in page.content.decode()
    assert ("infrastructure.providers.offers.refresh_options", provider.pk) in queue


@pytest.mark.parametrize(("driver", "currency"), [("ec2", "USD"), ("scaleway", "EUR")])
def test_prices_of_a_new_cloud_are_in_its_drivers_currency_until_staff_say_otherwise(
    boss: Client, queue: list[Any], driver: str, currency: str
) -> None:
    new = {"name": "Cloud", "slug": "cloud", "kind": "libcloud", "address": "127.0.0.1", "rank": "10"}
    assert boss.post(reverse(f"{PROVIDERS}_add"), new | {"driver": driver}).status_code == 302
    provider = Provider.objects.get(slug="cloud")
    assert provider.currency == currency
    form = boss.get(reverse(f"{PROVIDERS}_change", args=(provider.pk,))).context["adminform"].form
    assert form["currency"].value() == currency


def test_credentials_are_stored_sealed_kept_when_left_empty_and_never_shown(
    boss: Client, cloud: Provider, queue: list[Any]
) -> None:
    assert change(boss, cloud, setting_key="s3cret", setting_region="ams3").status_code == 302
    assert change(boss, cloud, setting_key="", setting_region="fra1").status_code == 302
    shown = ProviderSecrets.objects.get().values
    assert (shown["key"], shown["region"]) == ("s3cret", "fra1")
    page = boss.get(reverse(f"{PROVIDERS}_change", args=(cloud.pk,))).content.decode()
    assert "fra1" in page
    assert "s3cret" not in page
    history = boss.get(reverse(f"{PROVIDERS}_history", args=(cloud.pk,))).content.decode()
    assert "s3cret" not in history


def test_what_the_provider_offers_can_be_chosen(boss: Client, cloud: Provider) -> None:
    ProviderOption.objects.create(provider=cloud, kind="image", outside_id="img-1", name="Debian 13")
    page = boss.get(reverse(f"{PROVIDERS}_change", args=(cloud.pk,))).content.decode()
    assert "Debian 13 (img-1)" in page
    assert "debian-12 (no longer on offer)" in page


def add_host(client: Client, pool: Provider, **fields: str) -> Any:
    """The form of a new host, sent with `fields`."""
    form = {
        "provider": str(pool.pk),
        "name": "one",
        "address": "198.51.100.1",
        "port": "22",
        "user": "root",
        "host_key": "ssh-ed25519 AAAA",
        "cpus": "4",
        "ram_gb": "8",
        "disk_gb": "100",
        "is_enabled": "on",
    }
    return client.post(reverse(f"{HOSTS}_add"), form | fields)


def test_a_new_host_gets_a_key_of_its_own_and_is_asked(boss: Client, pool: Provider, queue: list[Any]) -> None:
    assert add_host(boss, pool).status_code == 302
    host = Host.objects.get()
    private = HostSecrets.objects.get().private_key
    page = boss.get(reverse(f"{HOSTS}_change", args=(host.pk,))).content.decode()
    assert host.public_key
    assert private
    assert private not in page
    assert queue == [("infrastructure.providers.connection.ask_host", host.pk)]


def test_a_host_keeps_its_key_until_another_is_given(boss: Client, pool: Provider, queue: list[Any]) -> None:
    add_host(boss, pool, private_key=f"{HEAD}\r\nmine\r\n")
    assert HostSecrets.objects.get().private_key == f"{HEAD}\nmine", "as ssh reads it, without what browsers add"


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({"private_key": "mine"}, "Not a private key"),
        ({"host_key": "not a key"}, "Not a public key: expected a line"),
    ],
)
def test_a_host_with_invalid_keys_is_refused(
    boss: Client, pool: Provider, queue: list[Any], fields: dict[str, str], texts: str
) -> None:
    assert texts in add_host(boss, pool, **fields).content.decode()
    assert not Host.objects.exists()


def test_a_host_without_capacity_is_refused(boss: Client, pool: Provider, queue: list[Any]) -> None:
    assert "A host needs at least 1 CPU" in add_host(boss, pool, cpus="0").content.decode()


def test_the_list_of_hosts_shows_what_is_left_and_asks_a_constant_number_of_queries(
    boss: Client, make_host: MakeHost, place: Place, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        make_host(f"host {number}")
    reconcile_orders([place().pk])
    with django_assert_max_num_queries(12):
        page = boss.get(reverse(f"{HOSTS}_changelist")).content.decode()
    assert "2/4 CPU · 4/8 GB · 60/100 GB" in page


def test_checking_hosts_needs_permission_and_is_left_to_workers(
    boss: Client, make_host: MakeHost, queue: list[Any]
) -> None:
    host = make_host()
    boss.post(reverse(f"{HOSTS}_changelist"), {"action": "check_hosts", "_selected_action": [str(host.pk)]})
    assert queue == [("infrastructure.providers.connection.ask_host", host.pk)]
    queue.clear()
    boss.force_login(UserFactory(is_staff=True))
    boss.post(reverse(f"{HOSTS}_changelist"), {"action": "check_hosts", "_selected_action": [str(host.pk)]})
    assert queue == []


def test_every_enabled_host_is_checked_on_schedule(make_host: MakeHost, queue: list[Any]) -> None:
    make_host("one"), make_host("two", is_enabled=False)
    assert connection.ask_all_hosts() == 1


def test_networks_and_sizes_are_chosen_among_what_is_on_offer(boss: Client, cloud: Provider, queue: list[Any]) -> None:
    for kind, name in (("network", "inside"), ("size", "small"), ("size", "large")):
        ProviderOption.objects.create(provider=cloud, kind=kind, outside_id=name, name=name, cpus=2, price=4)
    given: dict[str, Any] = {"network": "inside", "size_ids": ["small"], "setting_key": "s3cret"}
    assert change(boss, cloud, **given).status_code == 302
    cloud.refresh_from_db()
    assert (cloud.network, cloud.size_ids) == ("inside", ["small"])
    assert change(boss, cloud, **given | {"network": "mars"}).status_code == 200
    assert change(boss, cloud, **given | {"size_ids": ["huge"]}).status_code == 200
    ProviderOption.objects.all().delete()
    page = boss.get(reverse(f"{PROVIDERS}_change", args=(cloud.pk,))).content.decode()
    assert "small (no longer on offer)" in page


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://169.254.169.254/", "This is an address in a private network (ALLOWED_PRIVATE_RANGES)."),
        ("10.0.0.5:5000", "This is an address in a private network (ALLOWED_PRIVATE_RANGES)."),
        ("https://a@b.example", "Enter a web address, such as https://cloud.example.org:5000/v3."),
    ],
)
def test_address_of_a_cloud_in_our_own_network_is_refused_at_its_field(
    boss: Client, queue: list[Any], settings: Any, address: str, sentence: str
) -> None:
    provider = Provider.objects.create(slug="stack", name="Stack", kind=Provider.Kind.LIBCLOUD, driver="openstack")
    secret = {"setting_key": "k", "setting_secret": "s", "setting_ex_tenant_name": "t"}
    answer = change(boss, provider, setting_ex_force_auth_url=address, **secret)
    assert answer.context["adminform"].form.errors["setting_ex_force_auth_url"] == [sentence]
    assert not ProviderSecrets.objects.filter(provider=provider).exists()
    settings.ALLOWED_PRIVATE_RANGES = ["10.0.0.0/8"]
    allowed = change(boss, provider, setting_ex_force_auth_url="10.0.0.5:5000", **secret)
    assert allowed.status_code == 302
