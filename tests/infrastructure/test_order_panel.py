"""What staff read of an order's server before they remove it."""

from __future__ import annotations

import pytest

from infrastructure.models import Provider, Server
from infrastructure.order_panel import InfrastructurePanels
from tests.factories import make_draft
from tests.infrastructure.conftest import MakeHost

pytestmark = pytest.mark.django_db


def destroyed(**fields: object) -> list[str]:
    order = make_draft()
    Server.objects.create(order=order, **fields)
    return list(InfrastructurePanels().would_destroy(order))


def test_a_server_that_was_made_for_its_order_goes_with_its_disk(cloud: Provider) -> None:
    assert destroyed(provider=cloud, outside_id="i-7") == ["The server i-7 at Cloud, with its disk."]


def test_a_host_stays_when_an_order_leaves_it(pool: Provider, make_host: MakeHost) -> None:
    assert destroyed(provider=pool, host=make_host("alpha")) == ["Its place on the host alpha, which stays."]


def test_this_machine_stays_when_an_order_leaves_it(db: None) -> None:
    here = Provider.objects.create(slug="here", name="Here", kind=Provider.Kind.LOCAL)
    assert destroyed(provider=here) == ["Its place on this machine, which stays."]
