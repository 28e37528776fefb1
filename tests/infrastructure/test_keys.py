"""Who is let in, and by which key a server is known."""

from __future__ import annotations

import pytest

from infrastructure.backends import target_of
from infrastructure.keys import admit_server
from infrastructure.models import Provider, Server, ServerKeys
from tests.driving import Drive
from tests.infrastructure.conftest import Place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(cloud: Provider, place: Place, drive: Drive) -> Server:
    place("dedicated")
    return Server.objects.get()


def test_a_reinstalled_server_is_known_by_its_new_host_key_and_opened_as_before(server: Server) -> None:
    before = target_of(server)
    admit_server(server=server, host_key=" ssh-ed25519 AAAA new\n")
    after = target_of(server)
    assert (after.host_key, after.private_key) == ("ssh-ed25519 AAAA new", before.private_key)


def test_a_server_of_strangers_is_opened_once_its_keys_are_given(server: Server) -> None:
    ServerKeys.objects.all().delete()
    admit_server(server=server, private_key="opens it", host_key="ssh-ed25519 AAAA its")
    target = target_of(server)
    assert (target.private_key, target.host_key) == ("opens it", "ssh-ed25519 AAAA its")
    keys = ServerKeys.objects.get()
    assert "opens it" not in f"{keys!r} {target!r}"
    assert keys.public_key == ""
