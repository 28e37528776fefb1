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


def test_a_server_created_for_its_order_is_removed_with_its_disk(cloud: Provider) -> None:
    assert destroyed(provider=cloud, outside_id="i-7") == ["Server i-7 at Cloud, with its disk."]


def test_a_host_is_kept_when_its_order_is_removed(pool: Provider, make_host: MakeHost) -> None:
    assert destroyed(provider=pool, host=make_host("alpha")) == ["Its share of host alpha; the host is kept."]


def test_this_machine_is_kept_when_its_order_is_removed(db: None) -> None:
    here = Provider.objects.create(slug="here", name="Here", kind=Provider.Kind.LOCAL)
    assert destroyed(provider=here) == ["Its share of this machine; the machine is kept."]
