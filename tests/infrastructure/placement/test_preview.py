"""What approving an order will do, before it is approved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.money import Money
from infrastructure.models import Provider, ProviderOption
from infrastructure.placement.preview import PlannedContainer, PlannedEndpoint, PublishedTo, plan_of
from products.models import Release
from tests.factories import make_draft
from tests.infrastructure.conftest import MakeHost

pytestmark = pytest.mark.django_db


def test_a_plan_names_server_price_containers_and_addresses(cloud: Provider, release: Release) -> None:
    ProviderOption.objects.create(
        provider=cloud, kind="size", outside_id="s-2", name="S2", cpus=2, ram_gb=4, disk_gb=80, price=Decimal("12.41")
    )
    plan = plan_of(make_draft(release=release))
    assert (plan.provider, plan.host, plan.makes_server, plan.problem) == ("Cloud", "", True, "")
    assert plan.size is not None
    assert (plan.size.outside_id, plan.monthly_price) == ("s-2", Money(Decimal("12.41"), "EUR"))
    assert plan.containers == (PlannedContainer(name="gateway", image="debian:bookworm-slim"),)
    assert plan.ports == (PublishedTo(service="gateway", port=80),)
    endpoint = PlannedEndpoint(
        name="wms", application="Web Map Service", path="/wms", check_path="/wms?request=GetCapabilities"
    )
    assert plan.endpoints == (endpoint,)
    assert plan.monitors == ("Web Map Service (/wms?request=GetCapabilities)",)


def test_a_plan_names_the_host(make_host: MakeHost, release: Release) -> None:
    make_host()
    plan = plan_of(make_draft(release=release))
    assert (plan.provider, plan.host, plan.makes_server, plan.monthly_price) == ("Our hosts", "one", False, None)


def test_a_plan_says_why_it_cannot_be(pool: Provider, release: Release) -> None:
    plan = plan_of(make_draft(release=release))
    assert plan.problem == ("No empty host has 1 CPU, 2 GB of memory and 20 GB of disk. Add a host, or enable one.")
    assert plan.containers


def test_a_plan_asks_a_constant_number_of_questions(
    make_host: MakeHost, release: Release, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        make_host(f"host {number}")
    draft = make_draft(release=release)
    with django_assert_num_queries(3):  # providers, hosts, what stands on them
        plan_of(draft)
