"""Staff give the keys of a server that others made, and its order goes on."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from core.errors import ConfigError
from infrastructure.adapters.ssh.hosts import fingerprint, new_key_pair
from infrastructure.backends import target_of
from infrastructure.models import Provider, Server, ServerKeys
from tests.driving import Drive
from tests.factories import UserFactory
from tests.infrastructure.conftest import Place

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = "admin:infrastructure_serverkeys"


@pytest.fixture
def server(cloud: Provider, place: Place, drive: Drive) -> Server:
    place("dedicated")
    return Server.objects.get()


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    call_command("write_roles", verbosity=0)
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Operator"))
    client.force_login(user)
    return client


def test_an_adopted_server_is_opened_with_what_staff_give(operator: Client, server: Server) -> None:
    ServerKeys.objects.all().delete()
    with pytest.raises(ConfigError, match="enter it under Infrastructure, Server keys, and try again"):
        target_of(server)
    ours, its = new_key_pair("ours"), new_key_pair("its")
    form = {"server": server.pk, "given_key": ours.private, "host_key": its.public}
    answer = operator.post(reverse(f"{KEYS}_add"), form, follow=True)
    assert "Choose “Try again” on the order" in answer.content.decode()
    target = target_of(server)
    assert (target.private_key, target.host_key) == (ours.private.strip(), its.public)


def test_a_new_host_key_is_given_and_the_private_key_stays_and_is_never_shown(operator: Client, server: Server) -> None:
    keys, its = ServerKeys.objects.get(), new_key_pair("its")
    url = reverse(f"{KEYS}_change", args=(keys.pk,))
    assert operator.post(url, {"given_key": "", "host_key": its.public}).status_code == 302
    target = target_of(server)
    assert (target.private_key, target.host_key) == (keys.private_key, its.public)
    page = operator.get(url).content.decode()
    assert fingerprint(its.public) in page
    assert keys.private_key.splitlines()[1] not in page


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"host_key": "SHA256:abc"}, "Not a public key: expected a line"),
        ({"given_key": "ssh-ed25519 AAAA"}, "Not a private key"),
        ({"given_key": ""}, "This field is required."),
    ],
)
def test_what_is_no_key_is_refused_at_its_field(
    operator: Client, server: Server, fields: dict[str, str], message: str
) -> None:
    ServerKeys.objects.all().delete()
    ours, its = new_key_pair("ours"), new_key_pair("its")
    form = {"server": server.pk, "given_key": ours.private, "host_key": its.public, **fields}
    assert message in operator.post(reverse(f"{KEYS}_add"), form).content.decode()
    assert not ServerKeys.objects.exists()
